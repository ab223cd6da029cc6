/**
 * Certificates that look after themselves: two replicas of the real program, called by a real API server by the names of a
 * Service (an ExternalName, since no kube-proxy is here), with failurePolicy Fail: whatever is not trusted is a failed admission.
 */
import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Balancer, startBalancer } from '../support/cluster/balancer.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { namespaceOf } from '../support/cluster/objects.ts'
import { LOOSE_CRD, policyObject } from '../support/cluster/policies.ts'
import { createClient } from '../support/https/client.ts'
import { readMetric } from '../support/https/metrics.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { until } from '../support/until.ts'

const NAME = 'limits-webhook'
const NAMESPACE = 'limits'
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/${NAME}-tls`
const CONFIGURATIONS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map(
  (resource) => `/apis/admissionregistration.k8s.io/v1/${resource}/${NAME}`,
)

let cluster: Cluster
let balancer: Balancer
const running = new Set<WebhookProcess>()

beforeAll(async () => {
  cluster = await startCluster()
  balancer = await startBalancer()
  await cluster.apply(LOOSE_CRD)
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/iolimitpolicies.policy.iops-limit'])
  await cluster.apply(
    policyObject('gold', { default: { iops: 500 } }),
    namespaceOf(NAMESPACE),
    namespaceOf('team', 'gold'),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: NAMESPACE, name: NAME },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    registration('MutatingWebhookConfiguration', '/mutate'),
    registration('ValidatingWebhookConfiguration', '/validate'),
  )
  await startAfresh()
}, 120_000)

afterAll(async () => {
  for (const webhook of running) await webhook[Symbol.asyncDispose]()
  await balancer[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
}, 60_000)

const registration = (kind: string, path: string): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: NAME },
  webhooks: ['pods', 'others'].map((resource) => ({
    name: `${resource}.policy.iops-limit`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds: 3,
    failurePolicy: 'Fail',
    clientConfig: { service: { namespace: NAMESPACE, name: NAME, path, port: balancer.port } },
    namespaceSelector: { matchExpressions: [{ key: 'iops-limit/enforce', operator: 'Exists' }] },
    rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: [resource] }],
  })),
})

async function start(identity: string, ...more: readonly string[]): Promise<WebhookProcess> {
  const webhook = await startWebhook([
    ...['--kubeconfig', cluster.kubeconfig, '--webhook-namespace', NAMESPACE, '--service-name', NAME],
    ...['--tls-secret', `${NAME}-tls`, '--webhook-configuration', NAME, '--identity', identity],
    ...['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0', '--backfill=false'],
    ...['--shutdown-delay', '2s', ...more],
  ])
  running.add(webhook)
  balancer.add(webhook)
  return webhook
}

/** As a Deployment does: the new one is ready before the old one is asked to end. */
async function end(webhook: WebhookProcess): Promise<void> {
  webhook.terminate()
  expect(await webhook.exit).toBe(0)
  balancer.remove(webhook)
  running.delete(webhook)
}

/** Two replicas, and no Secret before them. */
async function startAfresh(...more: readonly string[]): Promise<void> {
  await Promise.all([...running].map(end))
  await cluster.kubectl(['delete', 'secret', `${NAME}-tls`, '-n', NAMESPACE, '--ignore-not-found'])
  await Promise.all([start('a', ...more), start('b', ...more)])
  await until(() => balancer.ready === 2)
}

const create = (name: string): Promise<unknown> =>
  cluster.client.request({
    method: 'POST',
    path: '/api/v1/namespaces/team/pods',
    query: { dryRun: 'All' },
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name: 'main', image: 'registry.test/app:1' }] },
    },
  })

const DEFAULTED = { metadata: { annotations: { 'iops-limit/read-iops': '500' } } }

type Json = Readonly<Record<string, unknown>>
type Configuration = {
  readonly metadata: { readonly resourceVersion: string; readonly managedFields: readonly Json[] }
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[]
}

const readSecret = async (): Promise<Readonly<Record<string, string>>> => {
  const { data } = (await cluster.client.request({ method: 'GET', path: SECRET })) as {
    readonly data: Readonly<Record<string, string>>
  }
  const decode = (text: string): string => Buffer.from(text, 'base64').toString()
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, decode(text)]))
}

const readConfigurations = async (): Promise<readonly Configuration[]> =>
  (await Promise.all(
    CONFIGURATIONS.map((path) => cluster.client.request({ method: 'GET', path })),
  )) as readonly Configuration[]

async function readBundles(): Promise<readonly string[]> {
  const bundles = (await readConfigurations()).flatMap(({ webhooks }) =>
    webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()),
  )
  return [...new Set(bundles)]
}

/** The serial number of what is served to a new handshake. */
const readServed = ({ origin }: WebhookProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(origin)
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })

interface Load {
  readonly admitted: number
  readonly failures: readonly string[]
  end(): Promise<void>
}

/** So many clients, each with a pod after the other, while something else happens. */
function startLoad(clients: number): Load {
  let [isOn, admitted] = [true, 0]
  const failures: string[] = []
  const isGoing = (): boolean => isOn
  const loop = async (client: number): Promise<void> => {
    for (let count = 0; isGoing(); count++) {
      await create(`load-${client}-${count}`).then(
        () => (admitted += 1),
        (error: unknown) => failures.push(String(error)),
      )
      await sleep(10)
    }
  }
  const loops = Promise.all(Array.from({ length: clients }, (_, client) => loop(client)))
  return {
    get admitted() {
      return admitted
    },
    failures,
    async end() {
      isOn = false
      await loops
    },
  }
}

async function countSteps(): Promise<number> {
  const counts = await Promise.all(
    [...running].map(async ({ opsOrigin }) => {
      const ops = createClient(opsOrigin)
      const steps = await Promise.all(
        ['renew', 'announce', 'switch', 'drop'].map((step) =>
          readMetric(ops, `iops_limit_webhook_certificate_steps_total{step="${step}"}`),
        ),
      )
      ops.close()
      return steps.reduce((sum, count) => sum + (Number.isNaN(count) ? 0 : count), 0)
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

describe('the first start', () => {
  it('of two replicas at once makes one Secret, which both serve and which stands published', async () => {
    const secret = await readSecret()
    expect(await readBundles()).toEqual([secret['ca.crt']])
    const { serialNumber } = new X509Certificate(secret['tls.crt'] ?? '')
    expect(await Promise.all([...running].map(readServed))).toEqual([serialNumber, serialNumber])
    expect(await create('first')).toMatchObject(DEFAULTED)
  })

  it('writes nothing but caBundle, under a manager of its own', async () => {
    for (const { metadata } of await readConfigurations()) {
      const ours = metadata.managedFields.filter(({ manager }) => manager === 'iops-limit-certificates')
      const keys = new Set(JSON.stringify(ours.map(({ fieldsV1 }) => fieldsV1)).match(/"f:[A-Za-z]+"/g))
      expect(keys).toEqual(new Set(['"f:webhooks"', '"f:clientConfig"', '"f:caBundle"']))
    }
  })

  it('has the clock of others in mind, and leaves be what is well', async () => {
    const { 'tls.crt': leaf = '', 'signer.crt': authority = '' } = await readSecret()
    for (const pem of [leaf, authority])
      expect(Date.now() - new X509Certificate(pem).validFromDate.getTime()).toBeGreaterThan(3_500_000)
    const versions = (await readConfigurations()).map(({ metadata }) => metadata.resourceVersion)
    const late = await start('late')
    await until(() => balancer.ready === 3)
    expect((await readConfigurations()).map(({ metadata }) => metadata.resourceVersion)).toEqual(versions)
    expect((await readSecret())['tls.crt']).toBe(leaf)
    await end(late)
  })
})

describe('what others do', () => {
  it('a bundle that someone wiped, or spoilt, is written again', async () => {
    const { 'ca.crt': bundle } = await readSecret()
    for (const value of ['', Buffer.from('nonsense').toString('base64')])
      for (const path of CONFIGURATIONS) {
        await cluster.client
          .request({
            method: 'PATCH',
            path,
            contentType: 'application/json-patch+json',
            body: [{ op: 'replace', path: '/webhooks/1/clientConfig/caBundle', value }],
          })
          // The API server itself refuses one that is none.
          .catch((error: unknown) => expect(String(error)).toContain('unable to load root certificates'))
        await until(async () => (await readBundles()).join() === bundle)
      }
    await until(() => balancer.ready === 2)
    expect(await create('again')).toMatchObject(DEFAULTED)
  })

  it.each([
    ['that is deleted', () => cluster.client.request({ method: 'DELETE', path: SECRET })],
    [
      'whose key was exchanged',
      () =>
        cluster.client.request({
          method: 'PATCH',
          path: SECRET,
          contentType: 'application/merge-patch+json',
          body: { data: { 'tls.key': Buffer.from('nonsense').toString('base64') } },
        }),
    ],
  ])('a Secret %s is made anew, published and served', async (_, spoil) => {
    const before = await readSecret()
    await spoil()
    await until(async () => {
      const now = await readSecret().catch(() => before)
      return now['tls.crt'] !== before['tls.crt'] && (await readBundles()).join() === now['ca.crt']
    })
    const { serialNumber } = new X509Certificate((await readSecret())['tls.crt'] ?? '')
    await until(async () =>
      (await Promise.all([...running].map(readServed))).every((served) => served === serialNumber),
    )
    // The API server follows its configurations by a watch of its own.
    await until(async () => (await create('probe').then(Boolean, () => false)) && balancer.ready === 2)
    expect(await create('anew')).toMatchObject(DEFAULTED)
  })
})

const ROTATIONS = Number(process.env['ROTATIONS'] ?? 100)

describe('under constant load', () => {
  it('a rolling restart of both replicas fails no admission', async () => {
    const load = startLoad(4)
    for (const [index, old] of [...running].entries()) {
      await start(`new-${index}`)
      await until(() => balancer.ready === 3)
      await end(old)
    }
    await sleep(500)
    await load.end()
    expect(load.failures.slice(0, 3)).toEqual([])
    expect(load.admitted).toBeGreaterThan(50)
  }, 120_000)

  it(`${ROTATIONS} rotations, of the authority too, fail no admission`, async () => {
    // Long enough for a slow machine to make keys of 3072 bits within the last third.
    await startAfresh('--certificate-lifetime', '8s', '--ca-lifetime', '60s', '--ca-overlap', '5s')
    const authorities = new Set<string>()
    const load = startLoad(2)
    try {
      await until(async () => {
        authorities.add((await readSecret())['signer.crt'] ?? '')
        return (await countSteps()) >= ROTATIONS || load.failures.length > 0
      }, 900_000)
    } finally {
      await load.end()
      await startAfresh()
    }
    console.info(
      `${load.admitted} admissions, ${load.failures.length} failed, ${authorities.size} authorities`,
    )
    expect(load.failures.slice(0, 3)).toEqual([])
    expect(load.admitted).toBeGreaterThan(ROTATIONS)
    expect(authorities.size).toBeGreaterThan(ROTATIONS / 20)
  }, 960_000)
})
