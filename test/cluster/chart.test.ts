/** The chart by real helm, and what it installs by a real API server. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHART, helm, objectsOf, RELEASE, renderChart } from '../support/chart/helm.ts'
import { type CountingWebhook, startCountingWebhook } from '../support/chart/counting.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'

const HARDENED = ['--values', 'test/fixtures/chart/hardened.values.yaml']
const WEBHOOK = 'iops-limit-webhook'

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.apply(namespaceOf(RELEASE), ...objectsOf(await renderChart('-s', 'templates/crd.yaml')))
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

const namespaceOf = (name: string, labels: Readonly<Record<string, string>> = {}): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

interface Kinded {
  readonly kind: string
  readonly metadata: { readonly name: string }
}

const isKinded = (value: object): value is Kinded =>
  'kind' in value && typeof value.kind === 'string' && 'metadata' in value

const kindsOf = (text: string, ...kinds: readonly string[]): readonly Kinded[] =>
  objectsOf(text)
    .filter(isKinded)
    .filter(({ kind }) => kinds.includes(kind))

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isTrue()); attempt++) {
    if (attempt === 200) throw new Error('it does not come about')
    await sleep(100)
  }
}

describe.each([
  ['default', []],
  ['hardened', HARDENED],
])('%s values', (name, values) => {
  it('pass helm lint --strict', async () => {
    const { code, stdout } = await helm('lint', '--strict', CHART, ...values)
    expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed')
    expect(code).toBe(0)
  })

  it('render as recorded', async () => {
    const text = await renderChart('--kube-version', '1.35.0', ...values)
    await expect(text).toMatchFileSnapshot(`../fixtures/chart/${name}.yaml`)
    expect(await renderChart('--kube-version', '1.35.0', ...values)).toBe(text)
  })

  it('are taken by the API server', async () => {
    const text = await renderChart('--api-versions', 'policy.iops-limit/v1alpha1/IOLimitPolicy', ...values)
    const { code, stderr, stdout } = await cluster.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--namespace', RELEASE, '-f', '-'],
      text,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split('\n').length).toBe(objectsOf(text).length)
  })

  it('render every field of admission as the API server keeps it: applied again, nothing drifts', async () => {
    const text = await renderChart(...values)
    const kinds = [
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ]
    for (const object of kindsOf(text, ...kinds)) {
      const { stdout } = await cluster.kubectl(
        ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
        JSON.stringify(object),
      )
      const { metadata, status, ...kept } = JSON.parse(stdout) as Kinded & { readonly status?: object }
      const { metadata: asked, ...rendered } = object
      expect(metadata).toMatchObject(asked)
      expect(kept).toEqual(rendered)
      expect(status ?? {}).toEqual({})
    }
  })

  it('run the webhook as Pod Security Admission asks where it is strictest', async () => {
    await cluster.apply(namespaceOf('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' }))
    const text = await renderChart(...values)
    const [deployment] = kindsOf(text, 'Deployment')
    const [test] = kindsOf(text, 'Pod')
    const template = (deployment as unknown as { readonly spec: { readonly template: object } }).spec.template
    for (const pod of [{ ...template, metadata: { name: 'webhook' } }, { ...test, metadata: { name: 'test' } }]) {
      const { stderr } = await cluster.kubectl(
        ['create', '--dry-run=server', '--namespace', 'strict', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod }),
      )
      expect(stderr).toBe('')
    }
  })

  it('run the enforcer as root without any power of root', async () => {
    const [daemonSet] = kindsOf(await renderChart(...values), 'DaemonSet')
    const text = JSON.stringify(daemonSet)
    expect(daemonSet).toMatchObject({
      spec: {
        template: {
          spec: {
            hostNetwork: false,
            hostPID: false,
            hostIPC: false,
            securityContext: { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                securityContext: {
                  privileged: false,
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    })
    expect(text).not.toMatch(/\.sock|"add"|Unconfined/)
    const writable = [...text.matchAll(/\{"name":"([\w-]+)","mountPath":"[^"]+"\}/g)].map(([, volume]) => volume)
    expect(writable).toEqual(['cgroup'])
  })
})

describe('values that are refused', () => {
  it.each([
    ['webhook.replicas=0', "at '/webhook/replicas': minimum: got 0, want 1"],
    ['webhook.timeoutSeconds=10', "at '/webhook/timeoutSeconds': maximum: got 10, want 3"],
    ['webhook.failurePolicy=ignore', "at '/webhook/failurePolicy': value must be one of 'Ignore', 'Fail'"],
    ['webhook.replica=3', "at '/webhook': additional properties 'replica' not allowed"],
    ['webook.replicas=3', "at '': additional properties 'webook' not allowed"],
    ['webhook.port=443', "at '/webhook/port': minimum: got 443, want 1,024"],
    ['webhook.image.digest=latest', "at '/webhook/image/digest': 'latest' does not match pattern"],
    ['webhook.backfill.interval=10', "at '/webhook/backfill/interval': got number, want string"],
    ['webhook.backfill.interval=ten', "at '/webhook/backfill/interval': 'ten' does not match pattern"],
    ['webhook.exemptNamespaces={A_b}', "at '/webhook/exemptNamespaces/0': 'A_b' does not match pattern"],
    ['webhook.extraArgs={-x}', "at '/webhook/extraArgs/0': '-x' does not match pattern"],
    ['enforcer.dataMounts={data}', "at '/enforcer/dataMounts/0': 'data' does not match pattern"],
    ['enforcer.dataMounts={/}', "at '/enforcer/dataMounts/0': '/' does not match pattern"],
    ['enforcer.dataMounts=null', "at '/enforcer': missing property 'dataMounts'"],
    ['enforcer.maxUnavailable=0', "at '/enforcer/maxUnavailable': minimum: got 0, want 1"],
    ['enforcer.podSource=file', "at '/enforcer/podSource': value must be one of 'auto', 'kubelet', 'apiserver'"],
    ['enforcer.resources.limit.cpu=1', "at '/enforcer/resources': additional properties 'limit' not allowed"],
    ['certificates.mode=manual', "at '/certificates/mode': value must be one of 'auto', 'certManager', 'provided'"],
    ['certificates.mode=provided', "at '/certificates/provided/secretName': minLength: got 0, want 1"],
    ['policies.Gold.rules[0].name=a', "invalid propertyName 'Gold'"],
    ['policies.gold.rule=a', "at '/policies/gold': additional properties 'rule' not allowed"],
    ['networkPolicy.apiServerCIDRs={10.0.0.1}', "at '/networkPolicy/apiServerCIDRs/0': '10.0.0.1' does not match"],
  ])('%s', async (value, message) => {
    const { code, stderr } = await helm('template', CHART, '--set', value)
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
  })

  it('a Kubernetes that is too old', async () => {
    const { stderr } = await helm('template', CHART, '--kube-version', '1.29.9')
    expect(stderr).toContain('chart requires kubeVersion: >=1.30.0-0')
    // Clouds add words to the version of the last release that they keep.
    expect((await helm('template', CHART, '--kube-version', 'v1.30.1-eks-1234567')).code).toBe(0)
  })
})

describe('rights', () => {
  const can = async (account: string, ...asked: readonly string[]): Promise<boolean> =>
    (await cluster.kubectl(['auth', 'can-i', '--as', `system:serviceaccount:${RELEASE}:${account}`, ...asked]))
      .stdout === 'yes\n'

  beforeAll(async () => {
    const kinds = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']
    await cluster.apply(...kindsOf(await renderChart(), ...kinds))
  })

  it.each([
    ['-webhook', 'watch namespaces'],
    ['-webhook', 'watch iolimitpolicies.policy.iops-limit'],
    ['-webhook', 'patch iolimitpolicies.policy.iops-limit --subresource=status'],
    ['-webhook', 'patch pods -n other'],
    ['-webhook', 'create events -n other'],
    ['-webhook', `patch mutatingwebhookconfigurations/${WEBHOOK}`],
    ['-webhook', `patch validatingwebhookconfigurations/${WEBHOOK}`],
    ['-webhook', `get secrets/${WEBHOOK}-tls -n ${RELEASE}`],
    ['-webhook', `update leases.coordination.k8s.io/${WEBHOOK} -n ${RELEASE}`],
    ['-webhook', `create leases.coordination.k8s.io -n ${RELEASE}`],
    ['-enforcer', 'get nodes --subresource=pods'],
    ['-enforcer', 'watch pods -n other'],
    ['-enforcer', 'create events -n other'],
  ])('iops-limit%s may %s', async (account, asked) => {
    expect(await can(`${RELEASE}${account}`, ...asked.split(' '))).toBe(true)
  })

  it.each([
    ['-webhook', `get secrets/other -n ${RELEASE}`],
    ['-webhook', `list secrets -n ${RELEASE}`],
    ['-webhook', `get secrets/${WEBHOOK}-tls -n other`],
    ['-webhook', 'create secrets -n other'],
    ['-webhook', 'patch mutatingwebhookconfigurations/other'],
    ['-webhook', `delete mutatingwebhookconfigurations/${WEBHOOK}`],
    ['-webhook', 'create pods -n other'],
    ['-webhook', 'delete pods -n other'],
    ['-webhook', 'patch namespaces'],
    ['-webhook', 'patch iolimitpolicies.policy.iops-limit'],
    ['-enforcer', 'get nodes'],
    ['-enforcer', 'get nodes --subresource=proxy'],
    ['-enforcer', 'patch pods -n other'],
    ['-enforcer', 'get secrets -n other'],
    ['-enforcer', 'list namespaces'],
    ['-enforcer', 'list iolimitpolicies.policy.iops-limit'],
  ])('iops-limit%s may not %s', async (account, asked) => {
    expect(await can(`${RELEASE}${account}`, ...asked.split(' '))).toBe(false)
  })
})

const podOf = (
  namespace: string,
  name: string,
  annotations: Readonly<Record<string, string>> = {},
): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, labels: { app: 'a' }, annotations },
  spec: { containers: [{ name: 'main', image: 'a:1' }] },
})

describe('the webhook is called', () => {
  let counting: CountingWebhook

  beforeAll(async () => {
    counting = await startCountingWebhook()
    const kinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']
    const text = JSON.stringify(kindsOf(await renderChart('--set', 'webhook.exemptNamespaces={spared}'), ...kinds))
    const redirected = text.replaceAll(
      /"clientConfig":\{"service":\{[^}]*"path":"([^"]+)"[^}]*\}\}/g,
      (_, path: string) =>
        `"clientConfig":{"url":"${counting.origin}${path}","caBundle":"${counting.caBundle}"}`,
    )
    expect(redirected).not.toContain('"service"')
    await cluster.apply(
      namespaceOf('enforced', { 'iops-limit/enforce': 'gold', 'iops-limit/warn': 'gold' }),
      namespaceOf('warned', { 'iops-limit/warn': 'gold' }),
      namespaceOf('audited', { 'iops-limit/audit': 'gold' }),
      namespaceOf('plain'),
      namespaceOf('spared', { 'iops-limit/enforce': 'gold' }),
      ...(JSON.parse(redirected) as readonly object[]),
    )
    await cluster.kubectl(['label', 'namespace', RELEASE, 'kube-system', 'iops-limit/enforce=gold'])
    // Configurations take effect a moment after they were made.
    await until(async () => {
      await post('enforced', podOf('enforced', 'probe'), 'All')
      const calls = counting.takeCalls()
      return calls.length === 2
    })
    await post('enforced', podOf('enforced', 'pod', { 'iops-limit/limit': '500', other: 'a' }))
  })

  afterAll(async () => {
    await counting[Symbol.asyncDispose]()
    await cluster.kubectl([
      ...['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', WEBHOOK],
    ])
    await cluster.kubectl(['label', 'namespace', RELEASE, 'kube-system', 'iops-limit/enforce-'])
  })

  beforeEach(() => void counting.takeCalls())

  const post = (namespace: string, body: object, dryRun?: string): Promise<unknown> =>
    cluster.client.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods`,
      body,
      ...(dryRun !== undefined && { query: { dryRun } }),
    })

  const patch = (path: string, body: object): Promise<unknown> =>
    cluster.client.request({
      method: 'PATCH',
      path,
      body,
      contentType: 'application/strategic-merge-patch+json',
      query: { dryRun: 'All' },
    })

  const POD = '/api/v1/namespaces/enforced/pods/pod'
  const both = (what: string): readonly string[] => [`/mutate ${what}`, `/validate ${what}`]

  it.each([
    ['enforced', both('CREATE pods')],
    ['warned', ['/mutate CREATE pods']],
    ['audited', ['/mutate CREATE pods']],
    ['plain', []],
    ['spared', []],
    ['kube-system', []],
    [RELEASE, []],
  ])('for new pods of %s: %j', async (namespace, calls) => {
    await post(namespace, podOf(namespace, 'new'), 'All')
    expect(counting.takeCalls()).toEqual(calls)
  })

  it.each([
    ['another annotation', { metadata: { annotations: { other: 'b' } } }],
    ['a finalizer', { metadata: { finalizers: ['example.com/a'] } }],
    ['a toleration', { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } }],
    ['nothing', { metadata: { annotations: { 'iops-limit/limit': '500' } } }],
  ])('for no update of %s', async (_, body) => {
    await patch(POD, body)
    expect(counting.takeCalls()).toEqual([])
  })

  it.each([
    ['a limit', { metadata: { annotations: { 'iops-limit/limit': '600' } } }],
    ['a limit that goes', { metadata: { annotations: { 'iops-limit/limit': null } } }],
    ["a container's override", { metadata: { annotations: { 'container.iops-limit/main': 'limit=5' } } }],
    ['an older key', { metadata: { annotations: { 'nvme-iops': '5' } } }],
    ['an older key of another prefix', { metadata: { annotations: { 'kubediskguard.io/iops': '5' } } }],
    ['a label', { metadata: { labels: { app: 'b' } } }],
    ['an image', { spec: { containers: [{ name: 'main', image: 'a:2' }] } }],
  ])('for an update of %s', async (_, body) => {
    await patch(POD, body)
    expect(counting.takeCalls()).toEqual(both('UPDATE pods'))
  })

  it('for a status that carries a limit, and for no other', async () => {
    await patch(`${POD}/status`, { status: { message: 'hello' }, metadata: { annotations: { other: 'c' } } })
    expect(counting.takeCalls()).toEqual([])
    await patch(`${POD}/status`, { metadata: { annotations: { 'iops-limit/limit': '700' } } })
    expect(counting.takeCalls()).toEqual(both('UPDATE pods/status'))
  })

  it('for a Binding that carries a limit, and for no other, by either way', async () => {
    for (const [path, what] of [
      [`${POD}/binding`, 'pods/binding'],
      ['/api/v1/namespaces/enforced/bindings', 'bindings'],
    ] as const) {
      const bind = (annotations: object): Promise<unknown> =>
        cluster.client.request({
          method: 'POST',
          path,
          query: { dryRun: 'All' },
          body: {
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: { name: 'pod', annotations },
            target: { kind: 'Node', name: 'node' },
          },
        })
      await bind({ other: 'a' })
      expect(counting.takeCalls()).toEqual([])
      await bind({ 'iops-limit/limit': '9' })
      expect(counting.takeCalls()).toEqual(both(`CREATE ${what}`))
    }
  })

  it('for no ephemeral container, which cannot change annotations', async () => {
    await patch(`${POD}/ephemeralcontainers`, {
      spec: { ephemeralContainers: [{ name: 'debug', image: 'b:1' }] },
      metadata: { annotations: { 'iops-limit/limit': '800' } },
    })
    expect(counting.takeCalls()).toEqual([])
    const { stdout } = await cluster.kubectl(['get', 'pod', '-n', 'enforced', 'pod', '-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ metadata: { annotations: { 'iops-limit/limit': '500' } } })
  })

  it('for labels of a namespace that are ours, and for no other', async () => {
    await patch('/api/v1/namespaces/plain', { metadata: { labels: { other: 'a' } } })
    await patch(`/api/v1/namespaces/${RELEASE}`, { metadata: { labels: { 'iops-limit/warn': 'a' } } })
    expect(counting.takeCalls()).toEqual([])
    await patch('/api/v1/namespaces/plain', { metadata: { labels: { 'iops-limit/enforce': 'a' } } })
    await patch('/api/v1/namespaces/enforced', { metadata: { labels: { 'iops-limit/warn': null } } })
    expect(counting.takeCalls()).toEqual(['/validate UPDATE namespaces', '/validate UPDATE namespaces'])
    const create = (name: string, labels: Readonly<Record<string, string>>): Promise<unknown> =>
      cluster.client.request({
        method: 'POST',
        path: '/api/v1/namespaces',
        body: namespaceOf(name, labels),
        query: { dryRun: 'All' },
      })
    await create('new-plain', { other: 'a' })
    expect(counting.takeCalls()).toEqual([])
    await create('new-enforced', { 'iops-limit/audit': 'a' })
    expect(counting.takeCalls()).toEqual(['/validate CREATE namespaces'])
  })

  it('for workloads whose pods would change, and that a user owns', async () => {
    const deployment = (replicas: number, image: string, owner?: object): object => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'warned', ...(owner && { ownerReferences: [owner] }) },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'main', image }] },
        },
      },
    })
    await cluster.apply(deployment(1, 'a:1'))
    expect(counting.takeCalls()).toEqual(['/validate CREATE deployments'])
    await cluster.apply(deployment(2, 'a:1'))
    expect(counting.takeCalls()).toEqual([])
    await cluster.apply(deployment(2, 'a:2'))
    expect(counting.takeCalls()).toEqual(['/validate UPDATE deployments'])
    const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x', controller: true }
    await cluster.apply(deployment(2, 'a:3', owner))
    expect(counting.takeCalls()).toEqual([])
  })

  it('for policies whose spec changes', async () => {
    const policy = (iops: number, labels = {}): object => ({
      apiVersion: 'policy.iops-limit/v1alpha1',
      kind: 'IOLimitPolicy',
      metadata: { name: 'counted', labels },
      spec: { rules: [{ name: 'all', default: { iops } }] },
    })
    await cluster.apply(policy(5))
    await cluster.apply(policy(6))
    expect(counting.takeCalls()).toEqual(['/validate CREATE iolimitpolicies', '/validate UPDATE iolimitpolicies'])
    await cluster.apply(policy(6, { a: 'b' }))
    expect(counting.takeCalls()).toEqual([])
    await cluster.kubectl(['delete', 'iolp', 'counted'])
    expect(counting.takeCalls()).toEqual(['/validate DELETE iolimitpolicies'])
  })
})

describe('the mark of admission, without any webhook', () => {
  beforeAll(async () => {
    const text = await renderChart('--set', 'fullnameOverride=marks', '-s', 'templates/admission-policies.yaml')
    await cluster.apply(
      namespaceOf('open'),
      namespaceOf('only-warned', { 'iops-limit/warn': 'gold' }),
      namespaceOf('opted-in', { 'iops-limit/enforce': 'gold' }),
      ...objectsOf(text),
    )
    await until(async () => (await create('open', { 'iops-limit/policy': 'a/b' })) !== '')
    await cluster.apply(podOf('open', 'pod', { 'iops-limit/limit': '5' }))
  })

  /** What kubectl says on standard error. */
  const create = async (namespace: string, annotations: Readonly<Record<string, string>>): Promise<string> =>
    (
      await cluster.kubectl(
        ['create', '--dry-run=server', '-f', '-'],
        JSON.stringify(podOf(namespace, 'new', annotations)),
      )
    ).stderr

  it('is refused where nobody has opted in, in words', async () => {
    const said = await create('open', { 'iops-limit/policy': 'a/b', 'iops-limit/defaulted': 'bps' })
    expect(said).toContain(
      'iops-limit/policy, iops-limit/defaulted is written by iops-limit at admission only, and namespace open has no pods that it decides on (label iops-limit/enforce): remove it',
    )
    expect(await create('only-warned', { 'iops-limit/exempt-containers': 'a' })).toContain('written by iops-limit')
  })

  it('is refused in namespaces that never reach the webhook, whatever their labels say', async () => {
    await cluster.kubectl(['label', 'namespace', 'kube-system', 'iops-limit/enforce=gold'])
    expect(await create('kube-system', { 'iops-limit/policy': 'a/b' })).toContain('written by iops-limit')
    await cluster.kubectl(['label', 'namespace', 'kube-system', 'iops-limit/enforce-'])
  })

  it('is let through where the webhook decides, and so are limits everywhere', async () => {
    expect(await create('opted-in', { 'iops-limit/policy': 'a/b' })).toBe('')
    expect(await create('open', { 'iops-limit/limit': '5' })).toBe('')
  })

  it.each([
    ['an update', []],
    ['an update of the status', ['--subresource=status']],
  ])('is refused in %s', async (_, flags) => {
    const patched = (annotation: string): Promise<{ readonly stderr: string }> =>
      cluster.kubectl([
        ...['patch', 'pod', '-n', 'open', 'pod', '--dry-run=server', ...flags],
        ...['-p', `{"metadata":{"annotations":{${annotation}}}}`],
      ])
    expect((await patched('"iops-limit/policy":"a/b"')).stderr).toContain('written by iops-limit')
    expect((await patched('"iops-limit/limit":"6"')).stderr).toBe('')
  })

  it('is refused on a Binding', async () => {
    const bind = (annotations: object): Promise<unknown> =>
      cluster.client.request({
        method: 'POST',
        path: '/api/v1/namespaces/open/pods/pod/binding',
        query: { dryRun: 'All' },
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: 'pod', annotations },
          target: { kind: 'Node', name: 'node' },
        },
      })
    await expect(bind({ 'iops-limit/policy': 'a/b' })).rejects.toThrow('written by iops-limit')
    await expect(bind({})).resolves.toBeDefined()
  })

  it('may stay, and may be taken away, where a namespace has opted out', async () => {
    await cluster.apply(
      namespaceOf('leaving', { 'iops-limit/enforce': 'gold' }),
      podOf('leaving', 'pod', { 'iops-limit/policy': 'gold/all', 'iops-limit/limit': '5' }),
    )
    await cluster.kubectl(['label', 'namespace', 'leaving', 'iops-limit/enforce-'])
    const patched = (annotations: string): Promise<{ readonly stderr: string }> =>
      cluster.kubectl([
        ...['patch', 'pod', '-n', 'leaving', 'pod', '--dry-run=server'],
        ...['-p', `{"metadata":{"annotations":{${annotations}}}}`],
      ])
    expect((await patched('"iops-limit/limit":"6"')).stderr).toBe('')
    expect((await patched('"iops-limit/policy":null')).stderr).toBe('')
    await until(async () => (await patched('"iops-limit/policy":"gold/other"')).stderr !== '')
    expect((await patched('"iops-limit/policy":"gold/other"')).stderr).toContain('written by iops-limit')
  })
})
