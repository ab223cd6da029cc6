/** The real program against a real API server: it lists and watches there, and is called from there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { labelledNamespaceOf, registrationOf } from '../support/cluster/objects.ts'
import { LOOSE_CRD, policyObject } from '../support/cluster/policies.ts'
import { type Client, createClient } from '../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../support/https/files.ts'
import { readMetric } from '../support/https/metrics.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { until } from '../support/until.ts'

let cluster: Cluster
let files: WebhookFiles
let webhook: WebhookProcess
let ops: Client

const ENFORCED = { 'iops-limit/enforce': 'gold' }

beforeAll(async () => {
  cluster = await startCluster()
  files = await createWebhookFiles()
  webhook = await startWebhook([
    ...files.argv.slice(4),
    ...['--kubeconfig', cluster.kubeconfig, '--webhook-namespace', 'iops-limit', '--backfill=false'],
  ])
  ops = createClient(webhook.opsOrigin)
})

afterAll(async () => {
  ops.close()
  await webhook[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

interface Readiness {
  readonly ready: boolean
  readonly reasons?: readonly string[]
  readonly ages?: Readonly<Record<string, number>>
}

const readReadiness = async (): Promise<Readiness> =>
  JSON.parse((await ops.send({ path: '/readyz' })).body) as Readiness

async function untilReady(): Promise<void> {
  if (!(await readReadiness()).ready) {
    await cluster.apply(LOOSE_CRD)
    await until(async () => (await readReadiness()).ready)
  }
}

const post = (path: string, body: object): Promise<unknown> =>
  cluster.client.request({ method: 'POST', path, body })

const createNamespace = (
  name: string,
  labels: Readonly<Record<string, string>> = ENFORCED,
): Promise<unknown> => post('/api/v1/namespaces', labelledNamespaceOf(name, labels))

interface Created {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
}

/** The annotations that the pod has got. */
async function createPod(namespace: string, name: string): Promise<Readonly<Record<string, string>>> {
  const created = await post(`/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  })
  return (created as Created).metadata.annotations ?? {}
}

const register = (): Promise<void> =>
  cluster.apply(registrationOf({ origin: webhook.origin, ca: files.ca, timeoutSeconds: 3 }))

const PATH = '/apis/policy.iops-limit/v1alpha1/iolimitpolicies'

interface Condition {
  readonly [field: string]: unknown
}

async function readAccepted(name: string): Promise<Condition | undefined> {
  const policy = (await cluster.client.request({ method: 'GET', path: `${PATH}/${name}` })) as {
    status?: { conditions?: readonly Condition[] }
  }
  return policy.status?.conditions?.find(({ type }) => type === 'Accepted')
}

/** One life, in its order. */
describe('the webhook in a cluster', { shuffle: false }, () => {
  it('is not ready while the CRD is missing, says so, and is once it is there', async () => {
    const missing =
      'policies: not read from the cluster yet: the cluster has no iolimitpolicies.policy.iops-limit: install the CRD (chart iops-limit, crds.install)'
    await until(async () => (await readReadiness()).reasons?.join() === missing)
    expect(
      await webhook.untilLogged(({ cache, level }) => cache === 'policies' && level === 'warn'),
    ).toMatchObject({
      msg: 'cache: list or watch failed, trying again',
      reason: `GET ${PATH}: 404 page not found\n (HTTP 404)`,
    })
    await untilReady()
    const { ages = {} } = await readReadiness()
    expect(Object.keys(ages)).toEqual(['policies', 'namespaces'])
    expect(ages['policies']).toBeLessThan(30)
  })

  it('gives a pod the defaults of a namespace that is as old as itself', async () => {
    await untilReady()
    await register()
    await cluster.apply(policyObject('gold', { default: { readIOPS: 2000 } }))
    await until(async () => (await readMetric(ops, 'iops_limit_webhook_policies')) === 1)
    for (let n = 0; n < 20; n++) {
      await createNamespace(`new-${n}`)
      expect(await createPod(`new-${n}`, 'web')).toMatchObject({
        'iops-limit/read-iops': '2000',
        'iops-limit/policy': 'gold/all',
      })
    }
    const found = await Promise.all(
      ['hit', 'fetched'].map((result) =>
        readMetric(ops, `iops_limit_webhook_namespace_lookups_total{result="${result}"}`),
      ),
    )
    expect(found.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(20)
  })

  it('decides by a policy that has changed within a second', async () => {
    await createNamespace('changing')
    for (const readIOPS of [700, 800, 900]) {
      await cluster.apply(policyObject('gold', { default: { readIOPS } }))
      const began = performance.now()
      let count = 0
      await until(async () => {
        const { 'iops-limit/read-iops': value } = await createPod('changing', `web-${readIOPS}-${count++}`)
        return value === String(readIOPS)
      })
      expect(performance.now() - began).toBeLessThan(1000)
    }
  })

  it('writes its verdict on each policy, once', async () => {
    await cluster.apply(policyObject('silver', { default: { iops: 100 } }))
    await until(async () => (await readAccepted('silver')) !== undefined)
    expect(await readAccepted('silver')).toEqual({
      type: 'Accepted',
      status: 'True',
      reason: 'Valid',
      message: 'the policy is in force',
      observedGeneration: 1,
      lastTransitionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
    })
    await cluster.apply(policyObject('silver', { default: { iops: 100 }, max: { iops: 50 } }))
    await until(async () => (await readAccepted('silver'))?.['status'] === 'False')
    expect(await readAccepted('silver')).toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(
        'spec.rules[0].default.iops: "100" is above the max of readIOPS',
      ) as string,
      observedGeneration: 2,
    })
    expect(await readMetric(ops, 'iops_limit_webhook_refused_policies')).toBe(1)
    // The last right version stays.
    await createNamespace('by-silver', { 'iops-limit/enforce': 'silver' })
    expect(await createPod('by-silver', 'web')).toMatchObject({ 'iops-limit/policy': 'silver/all' })
    await cluster.apply(policyObject('silver', { default: { iops: 50 } }))
    await until(async () => (await readAccepted('silver'))?.['status'] === 'True')
    expect(await createPod('by-silver', 'other')).toMatchObject({ 'iops-limit/read-iops': '50' })
    const patches = 'verb="patch",resource="iolimitpolicies/status",code="200"'
    const count = await readMetric(ops, `iops_limit_webhook_kube_requests_total{${patches}}`)
    expect(count).toBeLessThanOrEqual(8)
    await cluster.client.request({ method: 'DELETE', path: `${PATH}/silver` })
    await until(async () => (await readMetric(ops, 'iops_limit_webhook_policies')) === 1)
  })

  it('leaves its own namespace alone, whatever its labels say', async () => {
    await createNamespace('iops-limit')
    expect(await createPod('iops-limit', 'web')).toEqual({})
  })

  it('goes on after a restart of the API server', async () => {
    await cluster.stopApiServer()
    // What is known stays known.
    expect((await readReadiness()).ready).toBe(true)
    await cluster.startApiServer()
    await createNamespace('later')
    await cluster.apply(policyObject('gold', { default: { readIOPS: 1234 } }))
    let count = 0
    await until(async () => (await createPod('later', `web-${count++}`))['iops-limit/read-iops'] === '1234')
    await until(async () => (await readMetric(ops, 'iops_limit_webhook_namespaces')) >= 28)
    const { body } = await ops.send({ path: '/metrics' })
    for (const cache of ['policies', 'namespaces'])
      expect(body).toMatch(
        new RegExp(`watch_restarts_total\\{cache="${cache}",reason="(broken|ended|error)"\\} \\d`),
      )
  })

  it('counts its calls, with their time', async () => {
    const { body } = await ops.send({ path: '/metrics' })
    for (const sample of [
      'kube_requests_total{verb="list",resource="iolimitpolicies",code="404"}',
      'kube_requests_total{verb="list",resource="namespaces",code="200"}',
      'kube_requests_total{verb="watch",resource="namespaces",code="200"}',
      'kube_request_duration_seconds_count{verb="list",resource="namespaces"}',
      'cache_sync_duration_seconds_count{cache="namespaces"}',
      'cache_age_seconds{cache="policies"}',
      'cache_failures_total{cache="policies"}',
    ])
      expect(body).toContain(`iops_limit_webhook_${sample} `)
  })
})
