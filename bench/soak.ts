/**
 * Two replicas in a real cluster under constant load while policies and namespaces change, certificates rotate, one of them is
 * replaced and killed again and again, and the API server is restarted: no admission may fail that anybody lived to answer, and
 * memory, handles and listeners of the replica that stays have to stay level.
 *   npm run soak -- [--minutes N]      10 if nothing is said; 60 tells leaks from moods
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBalancer } from '../test/support/cluster/balancer.ts'
import { type Cluster, startCluster } from '../test/support/cluster/cluster.ts'
import { createTestAuthority, createTestCertificates } from '../test/support/https/certificates.ts'
import { createClient } from '../test/support/https/client.ts'
import { createWebhookFiles, type WebhookFiles, writePair } from '../test/support/https/files.ts'
import { readMetric } from '../test/support/https/metrics.ts'
import { createService } from '../test/support/https/service.ts'
import { startWebhook, type WebhookProcess } from '../test/support/https/webhook.ts'
import { reviewOf } from '../test/support/reviews.ts'
import { ENDPOINT, installPolicies, namespaceOf, readPodTemplate, register } from './cluster/objects.ts'
import { readEnv } from './image.ts'
import { createConstantly, type Disasters, reviewConstantly } from './soak/load.ts'
import { createReplicas } from './soak/replicas.ts'
import type { Sample } from './soak/slope.ts'
import { judge, type Load } from './soak/verdict.ts'
import { buildOurs } from './webhook/contestants.ts'
import { policyOf } from './webhook/inputs.ts'

/** Who send reviews themselves, and who create pods. */
const CLIENTS = { direct: 4, cluster: 2 }
/** Milliseconds between two changes. */
const PACE = 2000
const NAMESPACES = 50
const PODS = 100
const NAME = 'soak'

type Change = (round: number) => Promise<unknown>

async function soak(minutes: number): Promise<number> {
  const authority = await createTestAuthority()
  await using files = await createWebhookFiles(await createTestCertificates(authority))
  await using cluster = await startCluster()
  await prepare(cluster)
  await using service = createService({ ca: authority.certificate, period: 100, lag: 100 })
  await using balancer = await startBalancer()
  const disasters: Disasters = { killed: new Set(), kills: [], outages: [] }
  const [, ...program] = buildOurs()
  const start = (): Promise<WebhookProcess> => startReplica(files, cluster, program)
  await using replicas = await createReplicas({ start, service, balancer, disasters })
  const origin = `https://127.0.0.1:${balancer.port}`
  await register(cluster, { name: NAME, origin, ca: authority.certificate, validates: true })
  await createPods(cluster)
  const changes: Readonly<Record<string, Change>> = {
    policy: (round) => changePolicy(cluster, round),
    namespaces: (round) => changeNamespaces(cluster, round),
    certificates: async () => writePair(files.directory, await createTestCertificates(authority)),
    'replica replaced': replicas.replace,
    'policy again': (round) => changePolicy(cluster, round),
    'replica killed': replicas.kill,
    'API server restarted': () => restart(cluster, disasters),
  }
  const began = performance.now()
  const look = (): Promise<Sample> => measure(replicas.lasting, (performance.now() - began) / 3_600_000)
  const before = await untilLevel(look)
  const stopping = new AbortController()
  const loads = startLoads({ service, cluster, disasters, stopped: stopping.signal })
  const samples: Sample[] = []
  const counts: Record<string, number> = {}
  for (let round = 0; performance.now() - began < minutes * 60_000; round += 1) {
    const [name, change] = Object.entries(changes)[round % Object.keys(changes).length] ?? []
    if (name === undefined) break
    await change?.(round)
    counts[name] = (counts[name] ?? 0) + 1
    await sleep(PACE)
    samples.push(await look())
    replicas.forgetLogs()
  }
  stopping.abort()
  const done = await Promise.all(loads)
  const rest = [before, await untilLevel(look)] as const
  const complaints = replicas.complaints()
  return report(judge({ loads: done, changes: counts, samples, rest, complaints }))
}

/** The bundle, with the flags and the settings of its image. */
function startReplica(
  { argv }: WebhookFiles,
  { kubeconfig }: Cluster,
  program: readonly string[],
): Promise<WebhookProcess> {
  const given = [
    // Policies and namespaces are the cluster's.
    ...argv.slice(4),
    ...['--kubeconfig', kubeconfig, '--webhook-namespace', 'iops-limit', '--backfill-interval', '10s'],
    ...['--reload-interval', '200ms', '--shutdown-delay', '1s', '--close-every', '200'],
  ]
  return startWebhook(given, readEnv('Dockerfile.webhook'), program)
}

async function prepare(cluster: Cluster): Promise<void> {
  await installPolicies(cluster, [{ ...policyOf('gold', 5), metadata: { name: 'gold' } }])
  const enforced = { 'iops-limit/enforce': 'gold' }
  await cluster.apply(
    namespaceOf('iops-limit', {}),
    // Of the recorded review, and of the pods.
    namespaceOf('rec', enforced),
    namespaceOf(NAME, { ...enforced, [ENDPOINT]: NAME }),
    ...Array.from({ length: NAMESPACES }, (_, index) => namespaceOf(`team-${index}`, enforced)),
  )
}

/** For the back-fill, which follows the policy. */
async function createPods({ client }: Cluster): Promise<void> {
  for (let index = 0; index < PODS; index += 1)
    await client.request({
      method: 'POST',
      path: `/api/v1/namespaces/${NAME}/pods`,
      body: podOf(`pod-${index}`),
    })
}

function podOf(name: string) {
  const pod = readPodTemplate()(name)
  return { ...pod, metadata: { ...pod.metadata, namespace: NAME, annotations: {} } }
}

const changePolicy = ({ client }: Cluster, round: number): Promise<unknown> =>
  client.request({
    method: 'PATCH',
    path: '/apis/policy.iops-limit/v1alpha1/iolimitpolicies/gold',
    contentType: 'application/json-patch+json',
    body: [{ op: 'replace', path: '/spec/rules/4/default/readIOPS', value: 1000 + (round % 100) }],
  })

/** Five of them opt in or out. */
async function changeNamespaces({ client }: Cluster, round: number): Promise<void> {
  for (let index = 0; index < 5; index += 1)
    await client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/team-${(round + index) % NAMESPACES}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { 'iops-limit/enforce': round % 2 === 0 ? null : 'gold' } } },
    })
}

async function restart(cluster: Cluster, { outages }: Disasters): Promise<void> {
  const span = { from: performance.now(), to: Number.POSITIVE_INFINITY }
  outages.push(span)
  await cluster.stopApiServer()
  // Long enough that replicas have to decide by what they know.
  await sleep(PACE)
  await cluster.startApiServer()
  span.to = performance.now()
}

interface Loaded {
  readonly service: ReturnType<typeof createService>
  readonly cluster: Cluster
  readonly disasters: Disasters
  readonly stopped: AbortSignal
}

function startLoads({ service, cluster, disasters, stopped }: Loaded): readonly Promise<Load>[] {
  const body = JSON.stringify(reviewOf({ 'iops-limit/read-iops': '300' }))
  const given = (name: string) => ({ name, disasters, stopped })
  return [
    ...Array.from({ length: CLIENTS.direct }, (_, index) =>
      reviewConstantly(service, body, given(`reviews, client ${index + 1}`)),
    ),
    ...Array.from({ length: CLIENTS.cluster }, (_, index) =>
      createConstantly(
        cluster.client,
        podOf('constant'),
        given(`pods by the API server, client ${index + 1}`),
      ),
    ),
  ]
}

async function measure({ opsOrigin }: WebhookProcess, hours: number): Promise<Sample> {
  const ops = createClient(opsOrigin)
  const rss = (await readMetric(ops, 'process_resident_memory_bytes')) / 2 ** 20
  const heap = (await readMetric(ops, 'nodejs_heap_size_used_bytes')) / 2 ** 20
  const handles = await readMetric(ops, 'nodejs_active_handles_total')
  ops.close()
  return { hours, rss, heap, handles }
}

/** At rest: connections that nobody needs any more have been closed, and nothing opens new ones. */
async function untilLevel(look: () => Promise<Sample>): Promise<Sample> {
  let last = await look()
  for (let tries = 0; tries < 10; tries += 1) {
    await sleep(PACE / 2)
    const next = await look()
    if (next.handles === last.handles) return next
    last = next
  }
  return last
}

function report({ passed, lines }: ReturnType<typeof judge>): number {
  process.stdout.write(`${[...lines, passed ? 'soak: passed' : 'soak: FAILED'].join('\n')}\n`)
  return passed ? 0 : 1
}

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string' } },
  allowPositionals: true,
})
const minutes = Number(values.minutes ?? positionals[0] ?? 10)
if (!(minutes > 0)) {
  process.stderr.write('usage: npm run soak -- [--minutes N]\n')
  process.exit(2)
}
process.exitCode = await soak(minutes)
