/**
 * The advisor by the real program, under the account and the rights that the chart gives it, against a real API server whose
 * admission asks the same program; the enforcers alone stand in.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeClient } from '../../kube/client.ts'
import { parseAdapted } from '../../webhook/policy/adapted.ts'
import { type FakeEnforcer, startFakeEnforcer } from '../support/advisor/node.ts'
import { objectsOf, RELEASE, renderChart } from '../support/chart/helm.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { findFreePort } from '../support/cluster/daemon.ts'
import { formatKubeconfig } from '../support/cluster/material.ts'
import { namespaceOf, OPTED_IN, registrationOf } from '../support/cluster/objects.ts'
import { policyObject } from '../support/cluster/policies.ts'
import { createClient } from '../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../support/https/files.ts'
import { readMetric } from '../support/https/metrics.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { until } from '../support/until.ts'

const ACCOUNT = 'iops-limit-webhook'
const SELF = `system:serviceaccount:${RELEASE}:${ACCOUNT}`
const AUDIENCE = 'iops-limit'
const ENFORCER = { 'app.kubernetes.io/component': 'enforcer' }

let cluster: Cluster
let files: WebhookFiles
let folder: string
let port: number
let tenant: KubeClient
const enforcers: FakeEnforcer[] = []
const running = new Set<WebhookProcess>()

beforeAll(async () => {
  cluster = await startCluster()
  files = await createWebhookFiles()
  folder = await mkdtemp(join(tmpdir(), 'iops-limit-advisor-'))
  port = await findFreePort()
  tenant = cluster.clientAs('tenant')
  await cluster.apply(namespaceOf(RELEASE))
  const render = (template: string): Promise<string> =>
    renderChart('--set', 'advisor.enabled=true', '-s', `templates/${template}.yaml`)
  await cluster.apply(...objectsOf(await render('crd')), ...objectsOf(await render('webhook-rbac')))
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/iolimitpolicies.policy.iops-limit'])
  await cluster.apply(
    policy(),
    namespaceOf('team', 'gold'),
    registrationOf({
      ...{ origin: `https://127.0.0.1:${port}`, ca: files.ca },
      ...{ failurePolicy: 'Ignore', namespaces: OPTED_IN },
    }),
    ...tenantOf('team'),
  )
  for (const host of ['127.0.0.1', '127.0.0.2'])
    enforcers.push(
      await startFakeEnforcer(cluster.client, { host, port: enforcers[0]?.port ?? 0, audience: AUDIENCE }),
    )
  for (const [index, podIP] of ['127.0.0.1', '127.0.0.2'].entries())
    await createPod(RELEASE, `enforcer-${index}`, { node: `n${index}`, labels: ENFORCER, podIP })
  await writeFile(join(folder, 'token'), await createToken([AUDIENCE]))
  const account = { ca: cluster.ca, token: await createToken() }
  await writeFile(join(folder, 'kubeconfig'), formatKubeconfig(cluster.origin, account))
}, 120_000)

afterAll(async () => {
  for (const process of [...running, ...enforcers]) await process[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
}, 60_000)

const policy = (mode = 'enforce'): object =>
  policyObject('gold', {
    default: { writeIOPS: 1000 },
    max: { writeIOPS: 5000 },
    adaptive: {
      mode,
      windows: [{ over: '10s', above: { writeIOPS: 800 }, limit: { writeIOPS: 500 } }],
      hold: '10s',
      release: { below: 0.5, for: '10s' },
    },
  })

/** Who may do everything with the pods of one namespace. */
const tenantOf = (namespace: string): readonly object[] => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { namespace, name: 'tenant' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['*'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace, name: 'tenant' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'tenant' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }],
  },
]

async function createToken(audiences: readonly string[] = []): Promise<string> {
  const made = (await cluster.client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${RELEASE}/serviceaccounts/${ACCOUNT}/token`,
    body: {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
      spec: { expirationSeconds: 3600, ...(audiences.length > 0 && { audiences }) },
    },
  })) as { readonly status: { readonly token: string } }
  return made.status.token
}

interface NewPod {
  readonly node: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly podIP?: string
}

interface Pod {
  readonly metadata: { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> }
}

/** Running, as a kubelet would tell. */
async function createPod(
  namespace: string,
  name: string,
  { node, labels = {}, annotations = {}, podIP = '10.0.0.9' }: NewPod,
  client = cluster.client,
): Promise<Pod> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const pod = (await client.request({
    ...{ method: 'POST', path },
    body: {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, annotations } },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'registry.test/app:1' }] },
    },
  })) as Pod
  await cluster.client.request({
    ...{ method: 'PATCH', path: `${path}/${name}/status`, contentType: 'application/merge-patch+json' },
    body: { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } },
  })
  return pod
}

async function readPod(name: string): Promise<Readonly<Record<string, string>>> {
  const path = `/api/v1/namespaces/team/pods/${name}`
  const { metadata } = (await cluster.client.request({ method: 'GET', path })) as Pod
  return metadata.annotations ?? {}
}

const annotate = (name: string, annotations: Readonly<Record<string, string | null>>, client = tenant) =>
  client.request({
    ...{ method: 'PATCH', path: `/api/v1/namespaces/team/pods/${name}` },
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations } },
  })

const readAdapted = async (name: string) => parseAdapted((await readPod(name))['iops-limit/adapted'] ?? '')

async function readEvents(name: string): Promise<readonly (readonly [string, string])[]> {
  const list = (await cluster.client.request({
    ...{ method: 'GET', path: '/api/v1/namespaces/team/events' },
    query: { fieldSelector: `involvedObject.name=${name}` },
  })) as { readonly items: readonly { readonly reason: string; readonly message: string }[] }
  return list.items.map(({ reason, message }) => [reason, message])
}

async function start(identity: string, at: number): Promise<WebhookProcess> {
  const webhook = await startWebhook([
    ...files.argv.slice(4, 8),
    ...['--host', '127.0.0.1', '--port', String(at), '--metrics-port', '0', '--shutdown-delay', '0s'],
    ...['--kubeconfig', join(folder, 'kubeconfig'), '--webhook-namespace', RELEASE, '--identity', identity],
    ...['--self', SELF, '--advisor', '--advisor-interval', '1s'],
    ...['--advisor-token-file', join(folder, 'token')],
    ...['--enforcer-selector', 'app.kubernetes.io/component=enforcer'],
    ...['--enforcer-port', String(enforcers[0]?.port)],
  ])
  running.add(webhook)
  return webhook
}

async function kill(webhook: WebhookProcess): Promise<void> {
  running.delete(webhook)
  await webhook[Symbol.asyncDispose]()
}

async function read({ opsOrigin }: WebhookProcess, metric: string): Promise<number> {
  const ops = createClient(opsOrigin)
  const value = await readMetric(ops, `iops_limit_webhook_advisor_${metric}`)
  ops.close()
  return value
}

/** Until the API server asks the webhook about a new pod. */
const untilEnforced = (): Promise<void> =>
  until(async () => {
    const made = (await cluster.client.request({
      ...{ method: 'POST', path: '/api/v1/namespaces/team/pods', query: { dryRun: 'All' } },
      body: {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'probe' } },
        spec: { containers: [{ name: 'main', image: 'registry.test/app:1' }] },
      },
    })) as Pod
    return 'iops-limit/policy' in (made.metadata.annotations ?? {})
  })

const DEFAULTED = {
  'iops-limit/write-iops': '1000',
  'iops-limit/policy': 'gold/all',
  'iops-limit/defaulted': 'write-iops',
}

const hammer = (enforcer: number, { metadata }: Pod, writes: number): void =>
  void enforcers[enforcer]?.writes.set(metadata.uid, writes)

it('an API server that is asked for resourceVersion=0 passes over the limit: why no list of the advisor does', async () => {
  const countPods = async (query: Readonly<Record<string, string>>): Promise<number> => {
    const path = `/api/v1/namespaces/${RELEASE}/pods`
    const list = await cluster.client.request({ method: 'GET', path, query: { limit: '1', ...query } })
    return (list as { readonly items: readonly unknown[] }).items.length
  }
  expect(await countPods({ resourceVersion: '0' })).toBe(2)
  expect(await countPods({})).toBe(1)
})

/** One life, in its order. */
describe('the program as advisor', { shuffle: false }, () => {
  let first: WebhookProcess
  let busy: Pod

  it('caps a pod that hammers the disk, by a write that admission checks, and says why and since when', async () => {
    first = await start('first', port)
    await untilEnforced()
    busy = await createPod('team', 'busy', { node: 'n0' }, tenant)
    const calm = await createPod('team', 'calm', { node: 'n1' }, tenant)
    hammer(0, busy, 2300)
    hammer(1, calm, 20)
    // A node that lies about a pod of another's.
    hammer(1, busy, 9_999_999)
    expect(await readPod('busy')).toEqual(DEFAULTED)
    await until(async () => (await readAdapted('busy')) !== undefined, 60_000)
    const { 'iops-limit/adapted': note, ...limits } = await readPod('busy')
    // It is a default no more: it stands in the pod's own name.
    expect(limits).toEqual({ 'iops-limit/write-iops': '500', 'iops-limit/policy': 'gold/all' })
    expect(parseAdapted(note ?? '')).toMatchObject({
      imposed: { 'write-iops': '500' },
      replaced: { 'write-iops': null },
      why: 'all: write-iops 2300/s over 10s, above 800',
    })
    expect(await readPod('calm')).toEqual(DEFAULTED)
    expect(await readEvents('busy')).toEqual([
      ['IOLimitAdapted', 'imposed: write-iops=500 (all: write-iops 2300/s over 10s, above 800)'],
    ])
    expect(await read(first, 'leader')).toBe(1)
    await until(async () => (await read(first, 'adapted_pods{policy="gold"}')) === 1)
    expect(await read(first, 'watched_pods{policy="gold"}')).toBe(2)
    expect(enforcers.flatMap(({ refusals }) => refusals)).toEqual([])
  }, 120_000)

  it('killed: what is admitted stays, and the next one sees for itself before it decides', async () => {
    await kill(first)
    const before = await readPod('busy')
    hammer(0, busy, 3)
    const [a, b] = await Promise.all([start('a', port), start('b', 0)])
    await until(async () => (await read(a, 'leader')) + (await read(b, 'leader')) === 1, 60_000)
    expect(await readPod('busy')).toEqual(before)
    first = (await read(a, 'leader')) === 1 ? a : b
    // Both write in the same name: what the other would do, the version stated would refuse.
    await until(async () => (await readAdapted('busy')) === undefined, 60_000)
    expect(await readPod('busy')).toEqual(DEFAULTED)
    expect((await read(a, 'leader')) + (await read(b, 'leader'))).toBe(1)
    const reasons = (await readEvents('busy')).map(([reason]) => reason)
    expect(reasons.toSorted()).toEqual(['IOLimitAdapted', 'IOLimitReleased'])
    expect(await read(first, 'advices_total{kind="release",mode="enforce"}')).toBe(1)
  }, 150_000)

  it("a person's edit is sticky: the pod is left alone, however much it writes", async () => {
    const edited = await createPod('team', 'edited', { node: 'n0' }, tenant)
    hammer(0, edited, 4000)
    await until(async () => (await readAdapted('edited')) !== undefined, 60_000)
    await annotate('edited', { 'iops-limit/write-iops': '3000' })
    await until(async () => (await readAdapted('edited'))?.lifted !== undefined)
    const lifted = await readPod('edited')
    expect(lifted['iops-limit/write-iops']).toBe('3000')
    const turns = await read(first, 'turn_duration_seconds_count')
    await until(async () => (await read(first, 'turn_duration_seconds_count')) > turns + 15, 60_000)
    expect(await readPod('edited')).toEqual(lifted)
  }, 150_000)

  it('nobody else can say that a limit is imposed, nor that it is not', async () => {
    const note =
      '{"since":"2026-01-01T00:00:00Z","imposed":{},"replaced":{},"why":"x","lifted":"2026-01-01T00:00:00Z"}'
    await createPod('team', 'forger', { node: 'n1', annotations: { 'iops-limit/adapted': note } }, tenant)
    expect(await readPod('forger')).toEqual(DEFAULTED)
    await annotate('forger', { 'iops-limit/adapted': note })
    expect(await readPod('forger')).toEqual(DEFAULTED)
    const before = (await readPod('edited'))['iops-limit/adapted']
    await annotate('edited', { 'iops-limit/adapted': null })
    expect((await readPod('edited'))['iops-limit/adapted']).toBe(before)
  })

  it('a write that admission does not take is told once', async () => {
    await cluster.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'frozen' },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods'] },
          ],
        },
        matchConditions: [{ name: 'one', expression: "object.metadata.name == 'frozen'" }],
        validations: [{ expression: 'false', message: 'frozen for the audit' }],
      },
    })
    await cluster.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'frozen' },
      spec: { policyName: 'frozen', validationActions: ['Deny'] },
    })
    const frozen = await createPod('team', 'frozen', { node: 'n0' })
    hammer(0, frozen, 4000)
    const line = await first.untilLogged(
      ({ msg }) => msg === 'advisor: a write was refused, trying again later',
    )
    expect(line).toMatchObject({
      ...{ level: 'warn', namespace: 'team', name: 'frozen', node: 'n0' },
      reason: expect.stringContaining('frozen for the audit') as string,
    })
    const refused = await read(first, 'writes_total{outcome="refused"}')
    const turns = await read(first, 'turn_duration_seconds_count')
    await until(async () => (await read(first, 'turn_duration_seconds_count')) > turns + 3)
    expect(await read(first, 'writes_total{outcome="refused"}')).toBe(refused)
  }, 120_000)

  it('policy that only reports releases what stands, and then only tells', async () => {
    const tight = await createPod('team', 'tight', { node: 'n0' }, tenant)
    hammer(0, tight, 4000)
    await until(async () => (await readAdapted('tight')) !== undefined, 60_000)
    await cluster.apply(policy('report'))
    await until(async () => (await readAdapted('tight')) === undefined, 60_000)
    const isReported = async (): Promise<boolean> =>
      (await readEvents('tight')).some(([, message]) => message.startsWith('only reported, not imposed: '))
    await until(isReported, 60_000)
    expect((await readPod('tight'))['iops-limit/write-iops']).toBe('1000')
    expect(await read(first, 'advices_total{kind="impose",mode="report"}')).toBeGreaterThan(0)
    const errors = [...running].flatMap(({ log }) => log.filter(({ level }) => level === 'error'))
    expect(errors).toEqual([])
  }, 150_000)
})
