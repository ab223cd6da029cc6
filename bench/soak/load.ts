/** Constant admissions: reviews straight to the replicas, and pods by way of the API server. */
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../contract/problem.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Service } from '../../test/support/https/service.ts'
import type { PodObject } from '../cluster/objects.ts'
import type { Failure, Load } from './verdict.ts'

/** What was taken away on purpose, so far. */
export interface Disasters {
  /** Ports of replicas that were killed without a word. */
  readonly killed: Set<number>
  /** When replicas were killed, and how long until nobody is sent to them any more; likewise the API server: performance.now(). */
  readonly kills: Span[]
  readonly outages: Span[]
}

export interface Span {
  readonly from: number
  /** Infinity while it lasts. */
  to: number
}

interface Given {
  readonly name: string
  readonly disasters: Disasters
  readonly stopped: AbortSignal
}

/** One after the other on a connection that is kept, as the API server sends them, until told to stop. */
export async function reviewConstantly(service: Service, body: string, given: Given): Promise<Load> {
  const { name, disasters, stopped } = given
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let port: number | undefined
  agent.createConnection = () => {
    const socket = service.connect()
    port = undefined
    return socket.once('connect', () => (port = socket.remotePort))
  }
  const tally = createTally(name)
  while (!stopped.aborted) {
    try {
      const status = await post(agent, body)
      if (status === 200) tally.answers += 1
      else tally.failures.push({ why: `HTTP ${status}`, isExcused: false })
    } catch (error) {
      const target = refusedPort(error) ?? port
      tally.failures.push({
        why: messageOf(error),
        isExcused: target !== undefined && disasters.killed.has(target),
      })
    }
    await sleep(1 + 4 * Math.random())
  }
  agent.destroy()
  return tally
}

const createTally = (name: string): { name: string; answers: number; failures: Failure[] } => ({
  name,
  answers: 0,
  failures: [],
})

/** Where nobody listened (ECONNREFUSED). */
const refusedPort = (error: unknown): number | undefined =>
  error instanceof Error && 'port' in error && typeof error.port === 'number' ? error.port : undefined

const post = (agent: Agent, body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ agent, host: 'localhost', method: 'POST', path: '/mutate?timeout=10s' },
        headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      },
      (res) =>
        res
          .resume()
          .on('end', () => resolve(res.statusCode ?? 0))
          .on('error', reject),
    )
    sent.on('error', reject).end(body)
  })

/** Dry runs, so that nothing piles up; each has to come back with its limits. */
export async function createConstantly(client: KubeClient, pod: PodObject, given: Given): Promise<Load> {
  const { name, disasters, stopped } = given
  const tally = createTally(name)
  const path = `/api/v1/namespaces/${String(pod.metadata['namespace'])}/pods`
  while (!stopped.aborted) {
    const sent = performance.now()
    try {
      const made = await client.request({ method: 'POST', path, query: { dryRun: 'All' }, body: pod })
      if (isMarked(made)) tally.answers += 1
      else tally.failures.push({ why: 'the pod has come back without limits', isExcused: false })
    } catch (error) {
      tally.failures.push({ why: messageOf(error), isExcused: isExcused(messageOf(error), sent, disasters) })
      await sleep(100)
    }
    await sleep(10)
  }
  return tally
}

const isMarked = (pod: unknown): boolean => JSON.stringify(pod).includes('"iops-limit/policy"')

/** The API server sends a review once: one that was on its way to a replica that is killed fails. */
function isExcused(why: string, sent: number, { kills, outages }: Disasters): boolean {
  const isWithin = ({ from, to }: Span): boolean => sent <= to && performance.now() >= from
  return outages.some(isWithin) || (why.includes('failed calling webhook') && kills.some(isWithin))
}
