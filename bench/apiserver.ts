/**
 * What the webhook adds to the creation of a pod, by the histograms of a real API server: against no webhook, and against a bare
 * server that only parses and allows. Etcd, API server, webhook and clients share the machine, and the ways take turns round by
 * round, so that what else it does meets all of them.
 *   npm run bench:apiserver -- [ROUNDS] [PODS]      5 rounds, of 200 pods for each way and client count, if nothing is said
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Cluster, startCluster } from '../test/support/cluster/cluster.ts'
import { formatRounds, type Round } from './apiserver/report.ts'
import { addUp, findDifference, findMean, type Histogram, readHistogram } from './cluster/histogram.ts'
import {
  ENDPOINT,
  installPolicies,
  namespaceOf,
  type PodObject,
  readPodTemplate,
  register,
} from './cluster/objects.ts'
import { createOurs } from './cluster/ours.ts'
import { inTurns } from './cluster/turns.ts'
import { FLOOR } from './webhook/contestants.ts'
import { createInputs, type Inputs, policyOf, RULES } from './webhook/inputs.ts'
import type { Load } from './webhook/load.ts'
import { type Running, start } from './webhook/servers.ts'

const CLIENTS = [1, 50]
const NONE = 'no webhook'
const WARM_UP = 10_000
const LOAD = fileURLToPath(new URL('webhook/load.ts', import.meta.url))

/** A namespace whose pods go one way. */
interface Way {
  readonly name: string
  readonly namespace: string
  /** Calls for each pod. */
  readonly calls: number
}

const WAYS: readonly Way[] = [
  { name: NONE, namespace: 'none', calls: 0 },
  { name: 'floor, mutating', namespace: 'floor-once', calls: 1 },
  { name: 'iops-limit, mutating', namespace: 'ours-once', calls: 1 },
  { name: 'floor, mutating and validating', namespace: 'floor-twice', calls: 2 },
  { name: 'iops-limit, mutating and validating', namespace: 'ours-twice', calls: 2 },
]
const FLOORS = new Map([
  ['iops-limit, mutating', 'floor, mutating'],
  ['iops-limit, mutating and validating', 'floor, mutating and validating'],
])

async function bench(rounds: number, pods: number): Promise<void> {
  await using cluster = await startCluster()
  await installPolicies(cluster, [{ ...policyOf('gold', RULES), metadata: { name: 'gold' } }])
  await cluster.apply(
    namespaceOf('iops-limit', {}),
    // Of the review that warms up.
    namespaceOf('rec', { 'iops-limit/enforce': 'gold' }),
    ...WAYS.map(({ namespace }) =>
      namespaceOf(namespace, { [ENDPOINT]: namespace, 'iops-limit/enforce': 'gold' }),
    ),
  )
  using inputs = await createInputs()
  using floor = await start(FLOOR, inputs)
  const flags = ['--backfill=false', '--metrics-port', '0']
  using ours = await start(createOurs(cluster, { flags }), inputs)
  for (const { namespace, calls } of WAYS) {
    const { port } = namespace.startsWith('ours') ? ours : floor
    const target = {
      name: namespace,
      origin: `https://127.0.0.1:${port}`,
      ca: readFileSync(inputs.ca, 'utf8'),
      validates: calls === 2,
    }
    if (calls > 0) await register(cluster, target)
  }
  for (const server of [floor, ours]) await warmUp(server, inputs)
  const template = readPodTemplate()
  for (const way of WAYS) await untilCalled(cluster, way, template)
  const taken: Round[] = []
  for (let round = 0; round <= rounds; round += 1) {
    process.stderr.write(round === 0 ? 'warming up\n' : `round ${round} of ${rounds}\n`)
    for (const clients of CLIENTS)
      for (const way of WAYS) {
        const measured = await measure(cluster, way, { clients, pods, template })
        if (round > 0) taken.push(measured)
      }
  }
  report(taken, rounds, pods)
}

/** V8 takes tens of thousands of calls until code stays as it is: more than the rounds make. */
async function warmUp({ port, path }: Running, { ca, body }: Inputs): Promise<void> {
  const load: Load = { port, path, ca, body, connections: 16, milliseconds: WARM_UP }
  await promisify(execFile)(process.execPath, [LOAD, JSON.stringify(load)])
}

interface Work {
  readonly clients: number
  readonly pods: number
  readonly template: (name: string) => PodObject
}

async function measure(cluster: Cluster, way: Way, { clients, pods, template }: Work): Promise<Round> {
  const latencies: number[] = []
  const before = await look(cluster, way)
  const began = performance.now()
  await inTurns(Array(pods).keys(), clients, async (index) => {
    const sent = performance.now()
    await create(cluster, way, template(`pod-${index}`))
    latencies.push(performance.now() - sent)
  })
  const seconds = (performance.now() - began) / 1000
  const after = await look(cluster, way)
  await empty(cluster, way)
  const posts = findDifference(before.posts, after.posts)
  const calls = findDifference(before.calls, after.calls)
  if (posts.count !== pods || calls.count !== pods * way.calls || after.failed !== before.failed)
    throw new Error(`${way.name}: ${posts.count} POSTs and ${calls.count} calls of webhooks for ${pods} pods`)
  latencies.sort((a, b) => a - b)
  const rank = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? Number.NaN
  return {
    ...{ way: way.name, clients, perSecond: pods / seconds, p50: rank(0.5), p99: rank(0.99) },
    post: findMean(posts) * 1000,
    called: (calls.sum / pods) * 1000,
  }
}

interface Look {
  readonly posts: Histogram
  /** Of the way's own webhooks, whichever. */
  readonly calls: Histogram
  readonly failed: number
}

/** Source: https://kubernetes.io/docs/reference/instrumenting/metrics/ */
async function look(cluster: Cluster, { namespace }: Way): Promise<Look> {
  const text = await cluster.readText('/metrics')
  const post = { verb: 'POST', resource: 'pods', subresource: '', group: '' }
  const webhook = { name: `${namespace}.enforce.pods.policy.iops-limit` }
  return {
    posts: readHistogram(text, 'apiserver_request_duration_seconds', post),
    calls: readHistogram(text, 'apiserver_admission_webhook_admission_duration_seconds', webhook),
    failed: addUp(text, 'apiserver_admission_webhook_rejection_count', webhook),
  }
}

const create = (cluster: Cluster, { namespace }: Way, body: PodObject): Promise<unknown> =>
  cluster.client.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body })

const empty = (cluster: Cluster, { namespace }: Way): Promise<unknown> =>
  cluster.client.request({
    ...{ method: 'DELETE', path: `/api/v1/namespaces/${namespace}/pods`, timeout: 120_000 },
    body: { gracePeriodSeconds: 0 },
  })

/** The API server learns of registrations a moment later. */
async function untilCalled(cluster: Cluster, way: Way, template: Work['template']): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const before = await look(cluster, way)
    await create(cluster, way, template('probe'))
    await empty(cluster, way)
    if ((await look(cluster, way)).calls.count - before.calls.count === way.calls) return
    await sleep(100)
  }
  throw new Error(`${way.name}: the API server does not call the webhook`)
}

function report(taken: readonly Round[], rounds: number, pods: number): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  say(`${cpus().length} cores of ${cpus()[0]?.model ?? 'a processor'}, Node ${process.versions.node};`)
  say(
    `medians of ${rounds} interleaved rounds of ${pods} pods; a policy of ${RULES} rules, of which the last decides`,
  )
  for (const clients of CLIENTS) {
    const own = taken.filter((round) => round.clients === clients)
    say(`\n${clients} client${clients === 1 ? '' : 's'}\n\n${formatRounds(own, NONE, FLOORS)}`)
  }
}

const [rounds = 5, pods = 200] = process.argv.slice(2).map(Number)
if (!(rounds >= 1 && pods >= 50)) {
  process.stderr.write('usage: npm run bench:apiserver -- [ROUNDS] [PODS]\n')
  process.exit(2)
}
await bench(rounds, pods)
