/** A stand-in for a Service: it sends new connections to the replicas that were ready a moment ago. */
import { Agent, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { createClient } from './client.ts'
import type { WebhookProcess } from './webhook.ts'

export interface Service extends AsyncDisposable {
  add(replica: WebhookProcess): void
  /** Sends no more connections there: as when the pod is gone. */
  remove(replica: WebhookProcess): void
  /** Rejects while no replica is known to be ready. */
  untilReady(replicas: number): Promise<void>
  /** One connection, to any replica that takes traffic. */
  connect(): TLSSocket
}

export interface ServiceOptions {
  readonly ca: string
  /** Milliseconds between two looks at a replica's readiness. */
  readonly period: number
  /** Milliseconds until what was seen there reaches the clients. */
  readonly lag: number
}

/** Kubernetes takes seconds for what this does in fractions; the order of events is the same. */
export function createService({ ca, period, lag }: ServiceOptions): Service {
  const replicas = new Set<WebhookProcess>()
  const ready = new Set<WebhookProcess>()
  let next = 0
  const look = async (): Promise<void> => {
    await Promise.all(
      [...replicas].map(async (replica) => {
        const client = createClient(replica.opsOrigin)
        const isReady = await client.send({ path: '/readyz' }).then(
          ({ status }) => status === 200,
          () => false,
        )
        client.close()
        setTimeout(() => (isReady && replicas.has(replica) ? ready.add(replica) : ready.delete(replica)), lag)
      }),
    )
  }
  const looking = setInterval(() => void look(), period)
  return {
    add: (replica) => void replicas.add(replica),
    remove(replica) {
      replicas.delete(replica)
      ready.delete(replica)
    },
    async untilReady(count) {
      while (ready.size !== count) await new Promise((resolve) => setTimeout(resolve, 10))
    },
    connect() {
      const targets = [...ready]
      const target = targets[next++ % targets.length]
      if (target === undefined) throw new Error('no replica is ready')
      return connect({
        host: '127.0.0.1',
        port: Number(new URL(target.origin).port),
        servername: 'localhost',
        ca,
      })
    },
    [Symbol.asyncDispose]() {
      clearInterval(looking)
      return Promise.resolve()
    },
  }
}

export interface Tally {
  answers: number
  connections: number
  readonly failures: string[]
}

/** Reviews one after the other on connections that are kept, as the API server sends them, until told to stop. */
export async function loadService(service: Service, body: string, stopped: AbortSignal): Promise<Tally> {
  const tally: Tally = { answers: 0, connections: 0, failures: [] }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = () => {
    tally.connections += 1
    return service.connect()
  }
  while (!stopped.aborted) {
    const outcome = await post(agent, body)
    if (outcome === '200') tally.answers += 1
    else tally.failures.push(outcome)
    await new Promise((resolve) => setTimeout(resolve, 1 + 4 * Math.random()))
  }
  agent.destroy()
  return tally
}

/** The status, or what went wrong on the way. */
const post = (agent: Agent, body: string): Promise<string> =>
  new Promise((resolve) => {
    const sent = request(
      {
        agent,
        host: 'localhost',
        method: 'POST',
        path: '/mutate?timeout=10s',
        headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      },
      (res) =>
        res
          .resume()
          .on('end', () => resolve(String(res.statusCode)))
          .on('error', (error) => resolve(error.message)),
    )
    sent.on('error', (error) => resolve(error.message)).end(body)
  })
