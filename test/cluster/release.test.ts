/** A release by real helm on a real API server: installed, run by the program under its own account, applied again, uninstalled. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHART, helm, objectsOf, RELEASE, renderChart } from '../support/chart/helm.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { findFreePort, runToEnd } from '../support/cluster/daemon.ts'
import { formatKubeconfig } from '../support/cluster/material.ts'
import { namespaceOf, podOf } from '../support/cluster/objects.ts'
import { policyObject } from '../support/cluster/policies.ts'
import { createClient } from '../support/https/client.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { until } from '../support/until.ts'

const WEBHOOK = 'iops-limit-webhook'
const ACCOUNT = `system:serviceaccount:${RELEASE}:${WEBHOOK}`
const CONFIGURATIONS = 'mutatingwebhookconfigurations,validatingwebhookconfigurations'
const VALUES = [
  ...[
    '--set-json',
    'policies={"gold":{"rules":[{"name":"all","default":{"iops":500},"max":{"iops":2000}}]}}',
  ],
  ...['--set', 'webhook.failurePolicy=Fail,webhook.backfill.interval=1s'],
]

let folder: string
let cluster: Cluster
let port: number
let webhook: WebhookProcess | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'iops-limit-release-'))
  const [policy, log] = [join(folder, 'audit.yaml'), join(folder, 'audit.log')]
  await writeFile(policy, JSON.stringify(AUDIT))
  cluster = await startCluster({ flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`] })
  port = await findFreePort()
  const installed = await run('install', '--create-namespace')
  expect(installed.stderr).toBe('')
  expect(installed.stdout).toContain('STATUS: deployed')
})

afterAll(async () => {
  await webhook?.[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', users: [ACCOUNT] }, { level: 'None' }],
}

const run = (command: 'install' | 'upgrade', ...more: readonly string[]): ReturnType<typeof helm> =>
  helm(
    command,
    RELEASE,
    CHART,
    '--namespace',
    RELEASE,
    '--kubeconfig',
    cluster.kubeconfig,
    ...VALUES,
    ...more,
  )

/** What kubectl prints; throws what it complains of. */
async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args, stdin)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
}

/** As another tool would apply them: without what runs as a hook, and without helm's own words. */
async function renderRelease(): Promise<readonly Rendered[]> {
  const text = await renderChart('--api-versions', 'policy.iops-limit/v1alpha1/IOLimitPolicy', ...VALUES)
  return (objectsOf(text) as readonly Rendered[]).filter(
    ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined,
  )
}

/** A Service without any node behind it: the name leads to this machine. */
async function redirectService(): Promise<void> {
  await kubectl(['delete', 'service', '-n', RELEASE, WEBHOOK])
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: RELEASE, name: WEBHOOK },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  for (const resource of CONFIGURATIONS.split(',')) {
    const { webhooks } = JSON.parse(await kubectl(['get', resource, WEBHOOK, '-o', 'json'])) as {
      readonly webhooks: readonly object[]
    }
    const patch = webhooks.map((_, index) => ({
      op: 'replace',
      path: `/webhooks/${index}/clientConfig/service/port`,
      value: port,
    }))
    await kubectl(['patch', resource, WEBHOOK, '--type=json', '-p', JSON.stringify(patch)])
  }
}

/** The program with the arguments of the rendered Deployment, under the account of the rendered ServiceAccount. */
async function startAsRendered(): Promise<WebhookProcess> {
  const token = (await kubectl(['create', 'token', WEBHOOK, '-n', RELEASE])).trim()
  const kubeconfig = join(folder, 'account')
  await writeFile(kubeconfig, formatKubeconfig(cluster.origin, { ca: cluster.ca, token }))
  const deployment = JSON.parse(
    await kubectl(['get', 'deployment', '-n', RELEASE, WEBHOOK, '-o', 'json']),
  ) as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } }
  }
  const [container] = deployment.spec.template.spec.containers
  return await startWebhook(
    [
      ...(container?.args ?? []),
      ...[
        '--kubeconfig',
        kubeconfig,
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--metrics-port',
        '0',
        '--shutdown-delay=0s',
      ],
    ],
    { POD_NAME: 'replica', POD_NAMESPACE: RELEASE },
  )
}

interface Container {
  readonly args: readonly string[]
}

/** What stands in the way of such a pod. */
const tryPod = async (namespace: string, name: string): Promise<string> =>
  (await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(podOf(namespace, name))))
    .stderr

const annotationsOf = async (namespace: string, name: string): Promise<unknown> =>
  JSON.parse(await kubectl(['get', 'pod', '-n', namespace, name, '-o', 'jsonpath={.metadata.annotations}']))

describe('a release', { shuffle: false }, () => {
  it('has its policies, though their API came with it', async () => {
    expect(await kubectl(['get', 'iolp', '-o', 'name'])).toBe('iolimitpolicy.policy.iops-limit/gold\n')
  })

  it('shows no drift to whoever applies the same again: kubectl, or ArgoCD', async () => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: await renderRelease() })
    for (const way of [[], ['--server-side', '--force-conflicts']])
      expect(await kubectl(['diff', ...way, '-n', RELEASE, '-f', '-'], text)).toBe('')
  })

  it('is upgraded to the same without a change', async () => {
    const read = (): Promise<string> =>
      kubectl(['get', CONFIGURATIONS, WEBHOOK, '-o', 'jsonpath={.items[*].metadata.generation}'])
    const before = await read()
    expect((await run('upgrade')).stdout).toContain('STATUS: deployed')
    expect(await read()).toBe(before)
  })

  it('runs the program under its own account: it is ready', async () => {
    await redirectService()
    await cluster.apply(namespaceOf('late'), policyObject('bronze', { default: { iops: 50 } }))
    await cluster.apply(podOf('late', 'early'), podOf('late', 'greedy', { 'iops-limit/limit': '9000' }))
    webhook = await startAsRendered()
    const ops = createClient(webhook.opsOrigin)
    await until(async () => (await ops.send({ path: '/readyz' })).status === 200)
    expect((await ops.send({ path: '/healthz' })).status).toBe(200)
    ops.close()
  })

  it('is called with a certificate of its own, and gives pods their limits', async () => {
    await cluster.apply(namespaceOf('team', 'gold'))
    await until(
      async () =>
        (await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(podOf('team', 'a'))))
          .code === 0,
    )
    await cluster.apply(podOf('team', 'pod'))
    expect(await annotationsOf('team', 'pod')).toMatchObject({
      'iops-limit/policy': 'gold/all',
      'iops-limit/read-iops': '500',
    })
  })

  it('judges policies in their status', async () => {
    const reads = (): Promise<string> => kubectl(['get', 'iolp', 'gold', '--no-headers'])
    await until(async () => (await reads()).includes('Valid'))
    expect(await reads()).toMatch(/^gold +True +Valid/)
  })

  it('tells who labels a namespace what becomes of its pods, and mends them', async () => {
    const { stderr } = await cluster.kubectl(['label', 'namespace', 'late', 'iops-limit/enforce=gold'])
    expect(stderr).toContain('Warning: ')
    await until(
      async () => 'iops-limit/policy' in Object(await annotationsOf('late', 'early').catch(() => ({}))),
    )
    await until(async () => (await kubectl(['get', 'events', '-n', 'late'])).includes('IOLimitOutOfBounds'))
  })

  it('refuses a label that names no policy, once it has looked for it', async () => {
    const { stderr } = await cluster.kubectl(['label', 'namespace', 'late', 'iops-limit/warn=silver'])
    expect(stderr).toContain('silver')
  })

  it('passes helm test: its script, under the account that it has', async () => {
    const rendered = objectsOf(await renderChart('-s', 'templates/test.yaml')) as readonly Rendered[]
    await cluster.apply(...rendered.filter(({ kind }) => kind !== 'Pod'))
    const name = `${RELEASE}-test`
    const script = await readFile(`${CHART}/files/test.mjs`, 'utf8')
    await writeFile(join(folder, 'token'), (await kubectl(['create', 'token', name, '-n', RELEASE])).trim())
    await writeFile(join(folder, 'ca.crt'), cluster.ca)
    // Where the kubelet would have mounted token and CA.
    await writeFile(
      join(folder, 'test.mjs'),
      script.replace("'/var/run/secrets/kubernetes.io/serviceaccount'", `'${folder}'`),
    )
    const { hostname, port: apiPort } = new URL(cluster.origin)
    const { code, stdout, stderr } = await runToEnd('env', [
      ...[`TEST_NAME=${name}`, `NODE_EXTRA_CA_CERTS=${join(folder, 'ca.crt')}`],
      ...[`KUBERNETES_SERVICE_HOST=${hostname}`, `KUBERNETES_SERVICE_PORT=${apiPort}`],
      ...[process.execPath, join(folder, 'test.mjs')],
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('a pod gets its default: {')
    expect(await kubectl(['get', 'iolp', '-o', 'name'])).not.toContain(name)
    await kubectl(['delete', 'clusterrole,clusterrolebinding', name])
    await kubectl(['delete', 'serviceaccount,configmap', '-n', RELEASE, name])
  })

  it('keeps what it published through an upgrade and another way of applying, which change nothing else', async () => {
    const read = async (): Promise<unknown> =>
      JSON.parse(await kubectl(['get', CONFIGURATIONS, WEBHOOK, '-o', 'json']))
    const bundlesOf = (list: unknown): readonly string[] =>
      JSON.stringify(list).match(/"caBundle":"[^"]+"/g) ?? []
    const before = bundlesOf(await read())
    expect(before).toHaveLength(9)
    expect(new Set(before).size).toBe(1)
    await run('upgrade')
    expect(bundlesOf(await read())).toEqual(before)
    for (const object of (await renderRelease()).filter(({ kind }) =>
      kind.endsWith('WebhookConfiguration'),
    )) {
      await kubectl(
        ['apply', '--server-side', '--force-conflicts', '--field-manager=argocd-controller', '-f', '-'],
        JSON.stringify(object),
      )
      const { webhooks } = JSON.parse(await kubectl(['get', object.kind, WEBHOOK, '-o', 'json'])) as {
        readonly webhooks: unknown
      }
      const bare: unknown = JSON.parse(JSON.stringify(webhooks), (key, value: unknown) =>
        key === 'caBundle' ? undefined : value,
      )
      expect(bare).toEqual('webhooks' in object ? object.webhooks : undefined)
    }
    expect(bundlesOf(await read())).toEqual(before)
  })

  it('has the rights that it uses, and uses those that it has', async () => {
    await kubectl(['patch', 'secret', '-n', RELEASE, `${WEBHOOK}-tls`, '-p', '{"data":null}'])
    await until(
      async () =>
        (await kubectl(['get', 'secret', '-n', RELEASE, `${WEBHOOK}-tls`, '-o', 'jsonpath={.data}'])) !== '',
    )
    webhook?.terminate()
    expect(await webhook?.exit).toBe(0)
    const calls = await readAudit(join(folder, 'audit.log'))
    expect(calls.filter(({ code }) => code === 403)).toEqual([])
    const used = new Set(calls.map(({ right }) => right))
    const granted = await findRights()
    expect([...granted].filter((right) => !used.has(right)).toSorted()).toEqual(UNUSED)
  })

  it('leaves no webhook configuration, and nothing else that could hold up a pod', async () => {
    const { stdout, stderr, code } = await helm(
      ...['uninstall', RELEASE, '--namespace', RELEASE, '--kubeconfig', cluster.kubeconfig, '--debug'],
    )
    expect(stdout).toContain('release "iops-limit" uninstalled')
    expect(code).toBe(0)
    const deleted = [...stderr.matchAll(/starting delete.* kind=(\w+)/g)].map(([, kind]) => kind)
    expect(deleted.slice(0, 2)).toEqual(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])
    const kinds = `${CONFIGURATIONS},validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings`
    expect(await kubectl(['get', kinds, '-o', 'name', '-l', 'helm.sh/chart'])).toBe('')
    // failurePolicy was Fail, and no webhook runs any more.
    await until(async () => (await tryPod('team', 'after')) === '')
    expect(await annotationsOf('team', 'pod')).toMatchObject({ 'iops-limit/policy': 'gold/all' })
  })

  it('leaves the policies of others, and what the program made', async () => {
    expect(await kubectl(['get', 'iolp', '-o', 'name'])).toBe('iolimitpolicy.policy.iops-limit/bronze\n')
    expect(await kubectl(['get', 'all,secrets,leases,sa,cm', '-n', RELEASE, '-o', 'name'])).toBe(
      `secret/${WEBHOOK}-tls\nlease.coordination.k8s.io/${WEBHOOK}\n`,
    )
  })
})

/** What takes a race to be used (a pod right behind its namespace, a pod that another changes), and `get` beside `list` of one name. */
const UNUSED = [
  'get mutatingwebhookconfigurations',
  'get namespaces',
  'get pods',
  'get secrets',
  'get validatingwebhookconfigurations',
]

interface Audited {
  readonly verb: string
  readonly objectRef: { readonly resource: string; readonly subresource?: string }
  readonly responseStatus: { readonly code: number }
}

async function readAudit(
  file: string,
): Promise<readonly { readonly right: string; readonly code: number }[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  return lines.map((line) => {
    const { verb, objectRef, responseStatus } = JSON.parse(line) as Audited
    const { resource, subresource } = objectRef
    const what = subresource === undefined ? resource : `${resource}/${subresource}`
    return { right: `${verb} ${what}`, code: responseStatus.code }
  })
}

interface Role {
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[]
}

async function findRights(): Promise<ReadonlySet<string>> {
  const roles = await Promise.all(
    [
      ['clusterrole', WEBHOOK],
      ['role', WEBHOOK, '-n', RELEASE],
    ].map(async (which) => JSON.parse(await kubectl(['get', ...which, '-o', 'json'])) as Role),
  )
  return new Set(
    roles.flatMap(({ rules }) =>
      rules.flatMap(({ resources, verbs }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
      ),
    ),
  )
}
