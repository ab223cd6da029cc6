/** The back-fill by the real program, killed and started as processes are, against a real API server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { findFreePort } from '../support/cluster/daemon.ts'
import { namespaceOf, OPTED_IN, registrationOf } from '../support/cluster/objects.ts'
import { LOOSE_CRD, policyObject } from '../support/cluster/policies.ts'
import { createClient } from '../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../support/https/files.ts'
import { readMetric } from '../support/https/metrics.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { until } from '../support/until.ts'

let cluster: Cluster
let files: WebhookFiles
let port: number
const running = new Set<WebhookProcess>()

beforeAll(async () => {
  cluster = await startCluster()
  files = await createWebhookFiles()
  port = await findFreePort()
  await cluster.apply(LOOSE_CRD)
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/iolimitpolicies.policy.iops-limit'])
  await cluster.apply(
    policyObject('gold', { default: { iops: 500 }, max: { iops: 1000 } }),
    namespaceOf('iops-limit'),
    namespaceOf('team', 'gold'),
    registrationOf({
      ...{ origin: `https://127.0.0.1:${port}`, ca: files.ca },
      ...{ failurePolicy: 'Ignore', namespaces: OPTED_IN },
    }),
  )
}, 120_000)

afterAll(async () => {
  for (const webhook of running) await webhook[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
}, 60_000)

async function start(identity: string, at: number, ...more: readonly string[]): Promise<WebhookProcess> {
  const [, , , , , , , , host, address] = files.argv
  const webhook = await startWebhook([
    ...files.argv.slice(4, 8),
    ...[String(host), String(address), '--port', String(at), '--metrics-port', '0'],
    ...['--kubeconfig', cluster.kubeconfig, '--webhook-namespace', 'iops-limit', '--identity', identity],
    ...['--shutdown-delay', '0s', ...more],
  ])
  running.add(webhook)
  return webhook
}

async function kill(webhook: WebhookProcess): Promise<void> {
  running.delete(webhook)
  await webhook[Symbol.asyncDispose]()
}

async function untilReady({ opsOrigin }: WebhookProcess): Promise<void> {
  const ops = createClient(opsOrigin)
  await until(async () => (await ops.send({ path: '/readyz' })).status === 200)
  ops.close()
}

async function read({ opsOrigin }: WebhookProcess, metric: string): Promise<number> {
  const ops = createClient(opsOrigin)
  const value = await readMetric(ops, `iops_limit_backfill_${metric}`)
  ops.close()
  return value
}

type Values = Readonly<Record<string, string>>

interface Pod {
  readonly metadata: { readonly name: string; readonly annotations?: Values }
}

const ASKED: readonly Values[] = [
  {},
  { 'iops-limit/limit': '700' },
  { 'iops-limit/read-iops': '9000', 'other.io/key': 'x' },
  { 'nvme-iops-write': '300' },
]

const createPod = (namespace: string, name: string, annotations: Values = {}): Promise<unknown> =>
  cluster.client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods`,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations },
      spec: { containers: [{ name: 'main', image: 'registry.test/app:1' }] },
    },
  })

async function readPod(namespace: string, name: string): Promise<Values> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`
  return annotationsOf((await cluster.client.request({ method: 'GET', path })) as Pod)
}

/** Until the API server asks the webhook about a new pod. */
const untilEnforced = (): Promise<void> =>
  until(async () => {
    const made = await cluster.client.request({
      method: 'POST',
      path: '/api/v1/namespaces/edited/pods',
      query: { dryRun: 'All' },
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'probe' },
        spec: { containers: [{ name: 'main', image: 'registry.test/app:1' }] },
      },
    })
    return isMarked(made as Pod)
  })

async function createPods(count: number): Promise<void> {
  const indices = Array.from({ length: count }, (_, index) => index).values()
  const work = async (): Promise<void> => {
    for (const index of indices) await createPod('team', `pod-${index}`, ASKED[index % ASKED.length])
  }
  await Promise.all(Array.from({ length: 10 }, work))
}

async function readPods(): Promise<readonly Pod[]> {
  const list = await cluster.client.request({ method: 'GET', path: '/api/v1/namespaces/team/pods' })
  return (list as { readonly items: readonly Pod[] }).items
}

const annotationsOf = ({ metadata: { annotations = {} } }: Pod): Values => annotations
const isMarked = (pod: Pod): boolean => 'iops-limit/policy' in annotationsOf(pod)

/** What each pod has to carry under these defaults. */
const rightOf = (iops: string): readonly Values[] => [
  {
    'iops-limit/read-iops': iops,
    'iops-limit/write-iops': iops,
    'iops-limit/policy': 'gold/all',
    'iops-limit/defaulted': 'read-iops,write-iops',
  },
  { 'iops-limit/limit': '700', 'iops-limit/policy': 'gold/all' },
  {
    'iops-limit/read-iops': '9000',
    'other.io/key': 'x',
    'iops-limit/write-iops': iops,
    'iops-limit/policy': 'gold/all',
    'iops-limit/defaulted': 'write-iops',
  },
  {
    'iops-limit/read-iops': iops,
    'iops-limit/write-iops': '300',
    'iops-limit/policy': 'gold/all',
    'iops-limit/defaulted': 'read-iops',
  },
]

async function expectRight(iops: string): Promise<void> {
  for (const pod of await readPods()) {
    const kind = Number(pod.metadata.name.slice('pod-'.length)) % ASKED.length
    expect([pod.metadata.name, annotationsOf(pod)]).toEqual([pod.metadata.name, rightOf(iops)[kind]])
  }
}

const readHolder = async (): Promise<string | undefined> => {
  const lease = await cluster.client.request({
    method: 'GET',
    path: '/apis/coordination.k8s.io/v1/namespaces/iops-limit/leases/iops-limit-webhook',
  })
  return (lease as { readonly spec: { readonly holderIdentity?: string } }).spec.holderIdentity
}

/** One life, in its order. */
describe('the program', { shuffle: false }, () => {
  it('killed while 200 pods are created: within 30 s of readiness all are right, and no user value is lost', async () => {
    const first = await start('first', port)
    await untilReady(first)
    await until(async () => (await read(first, 'leader')) === 1)
    await cluster.apply(namespaceOf('edited', 'gold'))
    await untilEnforced()
    await createPod('edited', 'web', {})
    await kill(first)
    await createPods(200)
    // Admitted before, and edited while no webhook answers: the list of defaults still names it.
    await cluster.kubectl([
      'annotate',
      '--overwrite',
      'pod',
      '-n',
      'edited',
      'web',
      'iops-limit/read-iops=800',
    ])
    expect((await readPods()).some(isMarked)).toBe(false)
    const second = await start('second', port)
    await untilReady(second)
    const ready = performance.now()
    await until(async () => (await readPods()).every(isMarked), 40_000)
    const took = performance.now() - ready
    console.log(
      `the leader was killed; 200 pods right ${Math.round(took)} ms behind the readiness of the next`,
    )
    expect(took).toBeLessThan(30_000)
    await expectRight('500')
    await until(async () => (await read(second, 'patched_pods_total')) === 201)
    expect(await read(second, 'leader')).toBe(1)
    expect(await read(second, 'unlimited_pods')).toBe(0)
    expect(await read(second, 'out_of_bounds_pods')).toBe(50)
    expect(await readPod('edited', 'web')).toEqual({
      ...rightOf('500')[0],
      'iops-limit/read-iops': '800',
      'iops-limit/defaulted': 'write-iops',
    })
    second.terminate()
    expect(await second.exit).toBe(0)
    expect(await readHolder()).toBe('')
    expect(second.log.filter(({ level }) => level === 'error')).toEqual([])
  }, 120_000)

  it('the leader killed in the middle of a refresh: another goes on, while both serve', async () => {
    const [a, b] = await Promise.all([
      start('a', port, '--backfill-qps', '10'),
      start('b', 0, '--backfill-qps', '10'),
    ])
    await Promise.all([untilReady(a), untilReady(b)])
    await until(async () => ['a', 'b'].includes(String(await readHolder())))
    const [leader, other] = (await readHolder()) === 'a' ? [a, b] : [b, a]
    await leader.untilLogged(({ msg }) => msg === 'back-fill: pass')
    await cluster.apply(policyObject('gold', { default: { iops: 250 }, max: { iops: 1000 } }))
    const isFresh = (pod: Pod): boolean =>
      annotationsOf(pod)['iops-limit/defaulted'] === undefined ||
      Object.values(annotationsOf(pod)).some((value) => value === '250')
    const countFresh = async (): Promise<number> => (await readPods()).filter(isFresh).length
    await until(async () => (await countFresh()) > 70)
    await kill(leader)
    expect(await countFresh()).toBeLessThan(200)
    await until(async () => (await countFresh()) === 200, 60_000)
    await expectRight('250')
    expect(await read(other, 'patched_pods_total')).toBeGreaterThan(20)
  }, 150_000)
})
