/** The validating webhook of the real program, called by a real API server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { labelledNamespaceOf, namespaceOf, podOf, registrationOf } from '../support/cluster/objects.ts'
import { LOOSE_CRD, policyObject } from '../support/cluster/policies.ts'
import { type Client, createClient } from '../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../support/https/files.ts'
import { readMetric } from '../support/https/metrics.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { until } from '../support/until.ts'

const SELF = 'system:serviceaccount:iops-limit:iops-limit-webhook'

let cluster: Cluster
let files: WebhookFiles
let webhook: WebhookProcess
let ops: Client

const rule = (apiGroup: string, resources: readonly string[], operations = ['CREATE', 'UPDATE']): object => ({
  operations,
  apiGroups: [apiGroup],
  apiVersions: ['*'],
  resources,
})

/** All that the program judges; the mutating side is called only where a namespace asks for it. */
function register(): Promise<void> {
  const { origin } = webhook
  const { ca } = files
  return cluster.apply(
    registrationOf({
      ...{ origin, ca, timeoutSeconds: 3 },
      namespaces: { key: 'unmutated', operator: 'DoesNotExist' },
    }),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'iops-limit-webhook' },
      webhooks: [
        {
          name: 'all.validate.iops-limit',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 3,
          failurePolicy: 'Fail',
          clientConfig: { url: `${origin}/validate`, caBundle: Buffer.from(ca).toString('base64') },
          rules: [
            rule('', [
              ...['pods', 'pods/status', 'pods/binding', 'namespaces'],
              ...['replicationcontrollers', 'podtemplates'],
            ]),
            rule('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']),
            rule('batch', ['jobs', 'cronjobs']),
            rule('policy.iops-limit', ['iolimitpolicies'], ['CREATE', 'UPDATE', 'DELETE']),
          ],
        },
      ],
    },
  )
}

beforeAll(async () => {
  cluster = await startCluster()
  files = await createWebhookFiles()
  await cluster.apply(LOOSE_CRD)
  webhook = await startWebhook([
    ...files.argv.slice(4),
    ...['--kubeconfig', cluster.kubeconfig, '--webhook-namespace', 'iops-limit', '--backfill=false'],
    ...['--self', SELF],
  ])
  ops = createClient(webhook.opsOrigin)
  await until(async () => (await ops.send({ path: '/readyz' })).status === 200)
  await register()
  await cluster.apply(
    policyObject('gold', { default: { iops: 2000 }, max: { iops: 9000 } }),
    policyObject('silver', { default: { iops: 500 }, max: { iops: 1000 } }),
  )
  await until(async () => (await readMetric(ops, 'iops_limit_webhook_policies')) === 2)
})

afterAll(async () => {
  ops.close()
  await webhook[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

const create = (object: object): ReturnType<Cluster['kubectl']> =>
  cluster.kubectl(['create', '-f', '-'], JSON.stringify(object))

/** The lines that kubectl shows to the user, without the colour of the word. */
const shown = ({ stderr }: { readonly stderr: string }): readonly string[] =>
  stderr.split('\n').filter((line) => line !== '')

describe('pods', () => {
  it('with their defaults pass; what reaches the API server past the mutating side is held to the bounds', async () => {
    await cluster.apply(
      labelledNamespaceOf('held', { 'iops-limit/enforce': 'gold', unmutated: '' }),
      namespaceOf('mutated', 'gold'),
    )
    expect(await create(podOf('mutated', 'web'))).toMatchObject({ code: 0, stderr: '' })
    const refused = await create(podOf('held', 'web', { 'iops-limit/limit': '9001' }))
    expect(refused.stderr).toBe(
      'Error from server (Forbidden): error when creating "STDIN": admission webhook "all.validate.iops-limit" denied the request: policy gold, rule all: iops-limit/limit "9001" is above the max of 9000 for readIOPS and writeIOPS; write 9000 or less (pod held/web)\n',
    )
    const forged = await create(podOf('held', 'web', { 'iops-limit/policy': 'mine/free' }))
    expect(forged.stderr).toContain('iops-limit/policy is "mine/free" where admission wrote "gold/all"')
    const unseen = await create(podOf('held', 'unseen'))
    expect([unseen.code, unseen.stderr]).toEqual([
      0,
      expect.stringContaining(
        'Warning: iops-limit: the limits of the policy in force are not all on this pod yet',
      ),
    ])
  })
})

describe('the note of the advisor', () => {
  const KEY = 'iops-limit/adapted'
  const NOTE =
    '{"since":"2026-11-21T12:00:00.000Z","imposed":{"write-iops":"500"},"replaced":{"write-iops":null},"why":"all: busy"}'
  const FORGED =
    '{"since":"2026-11-21T12:00:00.000Z","imposed":{},"replaced":{},"why":"","lifted":"2026-11-21T12:00:00.000Z"}'

  const patch = (annotations: object, ...flags: readonly string[]): ReturnType<Cluster['kubectl']> =>
    cluster.kubectl([
      ...['patch', 'pod', '-n', 'mutated', 'busy', '--type=merge', ...flags],
      ...['-p', JSON.stringify({ metadata: { annotations } })],
    ])
  const OWN = [`--as=${SELF}`, '--as-group=system:masters']

  const read = async (): Promise<Readonly<Record<string, string>>> => {
    const { stdout } = await cluster.kubectl([
      ...['get', 'pod', '-n', 'mutated', 'busy', '-o', 'jsonpath={.metadata.annotations}'],
    ])
    return JSON.parse(stdout) as Readonly<Record<string, string>>
  }

  it('is written by the own user alone, and a release gives the default back', async () => {
    await cluster.apply(namespaceOf('mutated', 'gold'))
    expect((await create(podOf('mutated', 'busy', { [KEY]: FORGED }))).stderr).toContain(
      'iops-limit/adapted is written by admission only: the given value was dropped',
    )
    const before = await read()
    expect(before).toEqual({
      'iops-limit/policy': 'gold/all',
      'iops-limit/defaulted': 'read-iops,write-iops',
      'iops-limit/read-iops': '2000',
      'iops-limit/write-iops': '2000',
    })
    expect((await patch({ [KEY]: FORGED })).stderr).toContain('the given value was dropped')
    expect(await read()).toEqual(before)

    const imposing = { [KEY]: NOTE, 'iops-limit/write-iops': '500' }
    expect(await patch(imposing, ...OWN)).toMatchObject({ code: 0, stderr: '' })
    const adapted = { ...before, ...imposing, 'iops-limit/defaulted': 'read-iops' }
    expect(await read()).toEqual(adapted)

    for (const change of [FORGED, null]) {
      expect(await patch({ [KEY]: change })).toMatchObject({ code: 0 })
      expect(await read()).toEqual(adapted)
    }
    const above = await patch({ 'iops-limit/write-iops': '9001' }, ...OWN)
    expect(above.stderr).toContain('"9001" is above the max of 9000 for writeIOPS')

    expect(await patch({ [KEY]: null, 'iops-limit/write-iops': null }, ...OWN)).toMatchObject({ code: 0 })
    expect(await read()).toEqual(before)
  })
})

describe('workloads', () => {
  const deploymentOf = (namespace: string, annotations: object, replicas = 1): object => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' }, annotations },
        spec: { containers: [{ name: 'main', image: 'i' }] },
      },
    },
  })
  const apply = (object: object) => cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object))

  it('tell kubectl apply what their pods would get, or why they would be refused, and not twice', async () => {
    await cluster.apply(namespaceOf('work', 'gold'))
    expect(shown(await apply(deploymentOf('work', {})))).toEqual([
      'Warning: iops-limit: pods of this Deployment would get read-iops 2000, write-iops 2000 from gold/all',
    ])
    expect(shown(await apply(deploymentOf('work', {}, 3)))).toEqual([])
    const refused = await apply(deploymentOf('work', { 'iops-limit/limit': '10000' }))
    expect([refused.code, shown(refused)]).toEqual([
      0,
      [
        'Warning: iops-limit: pods of this Deployment would be refused: policy gold, rule all: iops-limit/limit "10000" is above the max of 9000 for readIOPS and writeIOPS; write 9000 or less',
      ],
    ])
  })
})

describe('namespaces', () => {
  const label = (namespace: string, ...labels: readonly string[]) =>
    cluster.kubectl(['label', 'namespace', namespace, '--overwrite', ...labels])

  it('cannot name a policy that does not exist, and get rid of one that is gone', async () => {
    expect((await create(namespaceOf('lost', 'platinum'))).stderr).toContain(
      'namespace label iops-limit/enforce=platinum: there is no policy of that name; known: gold, silver (namespace lost)',
    )
    await cluster.apply(policyObject('passing', { default: { iops: 5 } }))
    // Right behind its policy, which the watch has not told yet.
    await cluster.apply(namespaceOf('young', 'passing'))
    const gone = await cluster.kubectl(['delete', 'iolimitpolicy', 'passing'])
    expect([gone.code, gone.stderr]).toEqual([
      0,
      expect.stringContaining(
        'Warning: iops-limit: policy passing goes while it is in use: enforced in 1 namespace (young)',
      ),
    ])
    expect((await label('young', 'team=a')).code).toBe(0)
    expect((await label('young', 'iops-limit/enforce-')).code).toBe(0)
  })

  it('preview a change in numbers, dry run or not', async () => {
    await cluster.apply(namespaceOf('many', 'gold'))
    const names = Array.from({ length: 12 }, (_, index) => `web-${index}`)
    for (const name of names) await create(podOf('many', name))
    await create(podOf('many', 'big', { 'iops-limit/limit': '8000' }))
    const expected = [
      'Warning: iops-limit: enforce=silver: 12 pods: read-iops 2000 -> 500, write-iops 2000 -> 500; 1 pod above the new max',
      'Warning: iops-limit: enforce=silver: pod big: iops-limit/limit "8000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
    ]
    expect(shown(await label('many', 'iops-limit/enforce=silver', '--dry-run=server'))).toEqual(expected)
    expect(shown(await label('many', 'iops-limit/enforce=silver'))).toEqual(expected)
    expect(shown(await label('many', 'iops-limit/enforce-'))).toEqual([
      'Warning: iops-limit: enforce removed: 12 pods: read-iops 2000 -> unlimited, write-iops 2000 -> unlimited; 1 pod: read-iops 8000 -> unlimited, write-iops 8000 -> unlimited',
    ])
    expect(shown(await label('many', 'iops-limit/warn=silver'))).toEqual([
      'Warning: iops-limit: warn=silver: 12 pods would get read-iops 500, write-iops 500; 1 pod above the new max',
      'Warning: iops-limit: warn=silver: pod big: iops-limit/limit "8000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
    ])
  })

  it('look at 3,000 pods at most, for no longer than a second', async () => {
    await cluster.apply(namespaceOf('huge'))
    const pods = Array.from({ length: 3100 }, (_, index) => podOf('huge', `p-${index}`))
    for (let at = 0; at < pods.length; at += 100) {
      const bodies = pods.slice(at, at + 100)
      const path = '/api/v1/namespaces/huge/pods'
      await Promise.all(bodies.map((body) => cluster.client.request({ method: 'POST', path, body })))
    }
    const began = performance.now()
    const [numbers = '', coverage = ''] = shown(await label('huge', 'iops-limit/enforce=silver'))
    expect(performance.now() - began).toBeLessThan(3000)
    const [, looked = ''] = /only the first ([\d,]+) of 3,100 pods were looked at$/.exec(coverage) ?? []
    expect(Number(looked.replace(',', ''))).toBeGreaterThanOrEqual(250)
    expect(Number(looked.replace(',', ''))).toBeLessThanOrEqual(3000)
    expect(numbers).toBe(
      `Warning: iops-limit: enforce=silver: ${looked} pods: read-iops unlimited -> 500, write-iops unlimited -> 500`,
    )
  })
})

describe('policies', () => {
  it('are refused for what the schema lets pass, and tell where they are in use', async () => {
    const wrong = policyObject('wrong', { default: { iops: 2000 }, max: { iops: 1000 } })
    expect((await create(wrong)).stderr).toContain(
      'IOLimitPolicy wrong: spec.rules[0].default.iops: "2000" is above the max of readIOPS, 1000 at spec.rules[0].max.iops; lower it or raise the other',
    )
    await cluster.apply(namespaceOf('user', 'silver'))
    await until(async () => {
      const body = JSON.stringify(policyObject('silver', { default: { iops: 600 }, max: { iops: 1000 } }))
      const { stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], body)
      return /policy silver changes while it is in use: enforced in \d+ namespaces? \([^)]*user/.test(stderr)
    })
    expect(
      await readMetric(
        ops,
        'iops_limit_webhook_validations_total{resource="policy.iops-limit/iolimitpolicies",operation="CREATE",outcome="refused",dry_run="false"}',
      ),
    ).toBe(1)
  })
})
