/** The chart by real helm, and what it installs by a real API server. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { OPTIONS as ENFORCER_OPTIONS } from '../../enforcer/settings.ts'
import { type OptionTable, readSettings } from '../../settings/settings.ts'
import { OPTIONS as WEBHOOK_OPTIONS } from '../../webhook/server/settings.ts'
import { type CountingWebhook, startCountingWebhook } from '../support/chart/counting.ts'
import { CHART, helm, objectsOf, RELEASE, renderChart } from '../support/chart/helm.ts'
import {
  composeValues,
  findBreaches,
  findUnknownKeys,
  formatPlace,
  type Probe,
} from '../support/chart/probes.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { labelledNamespaceOf, namespaceOf, podOf } from '../support/cluster/objects.ts'

const HARDENED = ['--values', 'test/fixtures/chart/hardened.values.yaml']
const WEBHOOK = 'iops-limit-webhook'
const SCHEMA: unknown = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8'))

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.apply(namespaceOf(RELEASE), ...objectsOf(await renderChart('-s', 'templates/crd.yaml')))
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

const dryRun = (text: string): ReturnType<Cluster['kubectl']> =>
  cluster.kubectl(
    ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--namespace', RELEASE, '-f', '-'],
    text,
  )

interface Kinded {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

const isKinded = (value: object): value is Kinded =>
  'kind' in value && typeof value.kind === 'string' && 'metadata' in value

const kindsOf = (text: string, ...kinds: readonly string[]): readonly Kinded[] =>
  objectsOf(text)
    .filter(isKinded)
    .filter(({ kind }) => kinds.includes(kind))

interface Container {
  readonly args: readonly string[]
}

interface Templated {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } }
}

const containersOf = (text: string, kind: string): readonly Container[] =>
  (kindsOf(text, kind) as readonly (Kinded & Templated)[]).flatMap(
    ({ spec }) => spec.template.spec.containers,
  )

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
    const { code, stderr, stdout } = await dryRun(text)
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
    await cluster.apply(labelledNamespaceOf('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' }))
    const text = await renderChart(...values)
    const [deployment] = kindsOf(text, 'Deployment')
    const [test] = kindsOf(text, 'Pod')
    const template = (deployment as unknown as { readonly spec: { readonly template: object } }).spec.template
    for (const pod of [
      { ...template, metadata: { name: 'webhook' } },
      { ...test, metadata: { name: 'test' } },
    ]) {
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
    const writable = [...text.matchAll(/\{"name":"([\w-]+)","mountPath":"[^"]+"\}/g)].map(
      ([, volume]) => volume,
    )
    expect(writable).toEqual(['cgroup'])
  })
})

describe('while no webhook answers', () => {
  it.each([['Fail'], ['Ignore']])(
    '%s holds for what is enforced, and all that only tells passes',
    async (policy) => {
      const text = await renderChart('--set', `webhook.failurePolicy=${policy}`)
      const found = kindsOf(text, 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration')
      const held = (found as readonly (Kinded & Configured)[]).flatMap(({ webhooks }) =>
        webhooks.filter(({ failurePolicy }) => failurePolicy === 'Fail').map(({ name }) => name),
      )
      const enforced = 'enforce.pods.policy.iops-limit'
      expect(held).toEqual(policy === 'Fail' ? [enforced, enforced] : [])
    },
  )
})

interface Configured {
  readonly webhooks: readonly { readonly name: string; readonly failurePolicy: string }[]
}

describe('arguments', () => {
  it.each([
    ['default values', []],
    ['hardened values', HARDENED],
    [
      'certificates of cert-manager, and no back-fill',
      ['--set', 'certificates.mode=certManager,webhook.backfill.enabled=false,webhook.logLevel=silent'],
    ],
    [
      'the largest values, and switches the other way',
      [
        ...['--set', 'webhook.backfill.interval=24h,webhook.backfill.qps=1000,webhook.shutdownDelay=999s'],
        ...['--set', 'webhook.shutdownTimeout=999s,webhook.terminationGracePeriodSeconds=3600'],
        ...['--set', 'webhook.exemptNamespaces={a,b},webhook.port=65535,webhook.metricsPort=1024'],
        ...['--set', 'enforcer.checkInterval=999m,enforcer.podSource=apiserver,enforcer.cgroupVersion=v1'],
        ...['--set', 'enforcer.requireMark=false,enforcer.events=false,enforcer.releaseOnExit=true'],
        ...['--set', 'enforcer.dataMounts={/a,/b/c},enforcer.devices={259:0,/dev/mapper/a-b}'],
        ...['--set', 'enforcer.kubelet.skipVerify=true,enforcer.kubelet.caFile=/var/lib/ca.crt'],
        ...['--set', 'enforcer.usage.fromKubelet=false,enforcer.api.audiences={a,b}'],
        ...['--set', 'webhook.clientCA.configMap=ca,webhook.clientCA.names={a,b}'],
        ...['--set', 'enforcer.kubelet.serverName=node,enforcer.logLevel=trace,webhook.logLevel=debug'],
      ],
    ],
    [
      'the smallest values',
      [
        ...['--set', 'webhook.backfill.interval=1s,webhook.backfill.qps=1,webhook.shutdownDelay=0s'],
        ...['--set', 'enforcer.devices={sda},enforcer.checkInterval=100ms'],
        ...['--set-json', 'enforcer.dataMounts=[]'],
      ],
    ],
    ['the advisor', ['--set', 'advisor.enabled=true,advisor.interval=20s']],
  ])('of %s are options that both programs take', async (_, values) => {
    const text = await renderChart(...values)
    const [webhook] = containersOf(text, 'Deployment')
    const [enforcer] = containersOf(text, 'DaemonSet')
    const env = { POD_NAME: 'pod', POD_NAMESPACE: RELEASE, NODE_NAME: 'node' }
    for (const [container, options] of [
      [webhook, WEBHOOK_OPTIONS],
      [enforcer, ENFORCER_OPTIONS],
    ] as const) {
      expect(container?.args.length).toBeGreaterThan(8)
      expect(readSettings<OptionTable>(options, { argv: container?.args ?? [], env })).toMatchObject({
        kind: 'settings',
        operands: [],
      })
    }
  })
})

describe('the advisor', () => {
  const render = (...values: readonly string[]): Promise<string> =>
    renderChart('--set', ['advisor.enabled=true', ...values].join(','))

  /** Whom its token is made out to, and whom the enforcers' pages take tokens of. */
  async function readAudiences(...values: readonly string[]): Promise<readonly unknown[]> {
    const text = await render(...values)
    const [deployment] = kindsOf(text, 'Deployment')
    const [enforcer] = containersOf(text, 'DaemonSet')
    const { volumes } = (deployment as Kinded & Volumed).spec.template.spec
    const sources = volumes.flatMap(({ projected }) => projected?.sources ?? [])
    return [
      ...sources.map(({ serviceAccountToken }) => serviceAccountToken.audience),
      enforcer?.args.find((argument) => argument.startsWith('--api-audience=')),
    ]
  }

  interface Volumed {
    readonly spec: {
      readonly template: {
        readonly spec: {
          readonly volumes: readonly {
            readonly projected?: {
              readonly sources: readonly { readonly serviceAccountToken: { readonly audience: string } }[]
            }
          }[]
        }
      }
    }
  }

  it('shows the nodes a token that opens nothing but the enforcers', async () => {
    expect(await readAudiences()).toEqual(['iops-limit', '--api-audience=iops-limit'])
    expect(await readAudiences('enforcer.api.audiences={a,b}')).toEqual(['a', '--api-audience=a,b'])
  })

  it('finds the enforcers by the labels that they have, and where they listen', async () => {
    const text = await render('enforcer.metricsPort=9000')
    const [{ args } = { args: [] }] = containersOf(text, 'Deployment')
    const labels = { name: RELEASE, instance: RELEASE, component: 'enforcer' }
    const selector = Object.entries(labels).map(([key, value]) => `app.kubernetes.io/${key}=${value}`)
    expect(args).toEqual(
      expect.arrayContaining([`--enforcer-selector=${selector.join(',')}`, '--enforcer-port=9000']),
    )
    expect(kindsOf(text, 'DaemonSet')).toMatchObject([
      {
        spec: {
          template: {
            metadata: {
              labels: Object.fromEntries(selector.map((pair) => pair.split('='))) as Readonly<
                Record<string, string>
              >,
            },
          },
        },
      },
    ])
  })

  it('may do what it does without the back-fill too, and nothing of it is granted without it', async () => {
    const rulesOf = (text: string): string => JSON.stringify(kindsOf(text, 'ClusterRole', 'Role'))
    const alone = rulesOf(await render('webhook.backfill.enabled=false'))
    expect(alone).toContain('{"nonResourceURLs":["/iops-limit/v1/containers"],"verbs":["get"]}')
    expect(alone).toContain('{"apiGroups":[""],"resources":["pods"],"verbs":["list","patch"]}')
    expect(alone).toContain('"resourceNames":["iops-limit-advisor"]')
    const off = await renderChart()
    expect(rulesOf(off)).not.toContain('iops-limit-advisor')
    expect(off).not.toMatch(/enforcer-token|--api-audience|--advisor/)
  })

  it('is let through where network policies are strict', async () => {
    const text = await renderChart(
      ...['--set', 'advisor.enabled=true,networkPolicy.enabled=true'],
      ...['--set-json', 'networkPolicy.metricsFrom=[{"namespaceSelector":{}}]'],
    )
    const selectorOf = (component: string): object => ({
      podSelector: {
        matchLabels: {
          'app.kubernetes.io/name': RELEASE,
          'app.kubernetes.io/instance': RELEASE,
          'app.kubernetes.io/component': component,
        },
      },
    })
    const port = { port: 8081, protocol: 'TCP' }
    const [webhook, enforcer] = kindsOf(text, 'NetworkPolicy') as readonly (Kinded & Walled)[]
    expect(webhook?.spec.egress).toContainEqual({ ports: [port], to: [selectorOf('enforcer')] })
    expect(enforcer?.spec.ingress).toContainEqual({
      ...{ ports: [port], from: [{ namespaceSelector: {} }, selectorOf('webhook')] },
    })
  })

  interface Walled {
    readonly spec: { readonly ingress: readonly object[]; readonly egress: readonly object[] }
  }

  it('is refused where the enforcers tell nobody', async () => {
    await expect(render('enforcer.api.enabled=false')).rejects.toThrow(
      'advisor.enabled: the enforcers tell nobody what they see, since enforcer.api.enabled is false: set it',
    )
  })
})

describe('the dashboard', () => {
  const dashboard = (...values: readonly string[]) =>
    renderChart('-s', 'templates/dashboard.yaml', '--set', 'dashboard.enabled=true', ...values)

  it("is in a ConfigMap as the file has it, for Grafana's sidecar", async () => {
    expect(objectsOf(await dashboard())).toMatchObject([
      {
        metadata: { name: `${RELEASE}-dashboard`, namespace: RELEASE, labels: { grafana_dashboard: '1' } },
        data: { 'iops-limit.json': readFileSync(`${CHART}/files/dashboard.json`, 'utf8') },
      },
    ])
  })

  it('goes where the sidecar looks, by labels of its own', async () => {
    const labels = 'dashboard.labels.grafana_dashboard=yes,dashboard.labels.team=storage'
    const rest = 'dashboard.namespace=grafana,dashboard.annotations.grafana_folder=Storage'
    expect(objectsOf(await dashboard('--set', `${labels},${rest}`))).toMatchObject([
      {
        metadata: {
          ...{ namespace: 'grafana', annotations: { grafana_folder: 'Storage' } },
          labels: { grafana_dashboard: 'yes', team: 'storage', 'app.kubernetes.io/name': RELEASE },
        },
      },
    ])
  })
})

describe('with every switch the other way, cert-manager and the Prometheus operator', () => {
  const FOREIGN = /^(cert-manager\.io|monitoring\.coreos\.com)\/(\w+)$/
  let text: string

  beforeAll(async () => {
    const file = await mkdtemp(join(tmpdir(), 'iops-limit-chart-')).then((folder) =>
      join(folder, 'values.json'),
    )
    const values = flip(parse(readFileSync(`${CHART}/values.yaml`, 'utf8')))
    await writeFile(file, JSON.stringify(values))
    // The advisor reads the enforcers' pages, which are off here.
    const others =
      'enforcer.enabled=true,advisor.enabled=false,certificates.mode=certManager,crds.install=false'
    text = await renderChart('--values', file, '--set', others)
    await rm(dirname(file), { recursive: true })
    const foreign = objectsOf(text)
      .filter(isKinded)
      .filter(({ apiVersion }) => FOREIGN.test(apiVersion))
    const definitions = foreign.map(
      ({ apiVersion, kind }) => [kind, looseDefinition(apiVersion, kind)] as const,
    )
    await cluster.apply(...new Map(definitions).values())
    await until(async () => (await dryRun(text)).stderr === '')
  })

  const looseDefinition = (apiVersion: string, kind: string): object => {
    const [, group = '', version = ''] = FOREIGN.exec(apiVersion) ?? []
    const plural = `${kind.toLowerCase()}s`
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
        versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    }
  }

  it('the chart is taken by the API server', async () => {
    const { code, stdout } = await dryRun(text)
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(objectsOf(text).length)
    const kinds = objectsOf(text)
      .filter(isKinded)
      .map(({ kind }) => kind)
    expect(kinds).toEqual(
      expect.arrayContaining(['Certificate', 'Issuer', 'ServiceMonitor', 'PodMonitor', 'NetworkPolicy']),
    )
    expect(kinds).not.toContain('CustomResourceDefinition')
    expect(kinds).not.toContain('PodDisruptionBudget')
  })

  it('the certificate is where the webhook reads it, and its CA goes into the configurations', () => {
    expect(kindsOf(text, 'Certificate')).toMatchObject([
      {
        metadata: { name: WEBHOOK },
        spec: { secretName: `${WEBHOOK}-tls`, dnsNames: [`${WEBHOOK}.${RELEASE}.svc`] },
      },
    ])
    const volumes = [{ name: 'tls', secret: { secretName: `${WEBHOOK}-tls` } }]
    expect(kindsOf(text, 'Deployment')).toMatchObject([{ spec: { template: { spec: { volumes } } } }])
    expect(kindsOf(text, 'MutatingWebhookConfiguration')).toMatchObject([
      { metadata: { annotations: { 'cert-manager.io/inject-ca-from': `${RELEASE}/${WEBHOOK}` } } },
    ])
    expect(kindsOf(text, 'Role')).toEqual([])
  })

  it('the monitors select what there is', () => {
    const labels = (component: string): object => ({
      'app.kubernetes.io/name': RELEASE,
      'app.kubernetes.io/instance': RELEASE,
      'app.kubernetes.io/component': component,
    })
    expect(kindsOf(text, 'ServiceMonitor')).toMatchObject([
      { spec: { selector: { matchLabels: labels('webhook') } } },
    ])
    expect(kindsOf(text, 'Service')).toMatchObject([
      { metadata: { labels: labels('webhook') }, spec: { selector: labels('webhook') } },
    ])
    expect(kindsOf(text, 'PodMonitor')).toMatchObject([
      {
        spec: { selector: { matchLabels: labels('enforcer') }, podMetricsEndpoints: [{ honorLabels: true }] },
      },
    ])
    expect(kindsOf(text, 'DaemonSet')).toMatchObject([
      { spec: { template: { metadata: { labels: labels('enforcer') } } } },
    ])
  })
})

/** Every truth value the other way. */
const flip = (value: unknown): unknown => {
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, flip(child)]))
}

describe('values that are refused', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'iops-limit-chart-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** What helm says of such values. */
  const refuse = async (probes: readonly Probe[]): Promise<string> => {
    const file = join(folder, 'values.json')
    await writeFile(file, JSON.stringify(composeValues(probes)))
    const { code, stderr } = await helm('template', CHART, '--values', file)
    expect(code).not.toBe(0)
    return stderr
  }

  it('an unknown key, at every place that has keys', async () => {
    const probes = findUnknownKeys(SCHEMA)
    expect(probes.length).toBeGreaterThan(25)
    const said = await refuse(probes)
    for (const { path } of probes)
      expect(said).toContain(
        `${formatPlace(path.slice(0, -1))}: additional properties 'unknownKey' not allowed`,
      )
  })

  it('a value beyond each bound of each', async () => {
    const groups = findBreaches(SCHEMA)
    expect(groups.flat().length).toBeGreaterThan(200)
    for (const probes of groups) {
      const said = await refuse(probes)
      expect(probes.map(({ path }) => formatPlace(path)).filter((place) => !said.includes(place))).toEqual([])
    }
  })

  it.each([
    [
      ['webhook.shutdownDelay=25s'],
      'webhook.terminationGracePeriodSeconds: 30 is not more than shutdownDelay and shutdownTimeout together, which are 35: raise it',
    ],
    [
      ['webhook.metricsPort=8443'],
      'webhook.port and webhook.metricsPort are both 8443: give them different ones',
    ],
    [
      ['certificates.certManager.renewBefore=720h'],
      'certificates.certManager.renewBefore: 720h is not less than duration, which is 720h: lower it',
    ],
  ])('%j, which do not go together', async (values, message) => {
    const { code, stderr } = await helm('template', CHART, ...values.flatMap((value) => ['--set', value]))
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
  })

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
    [
      'enforcer.podSource=file',
      "at '/enforcer/podSource': value must be one of 'auto', 'kubelet', 'apiserver'",
    ],
    ['enforcer.resources.limit.cpu=1', "at '/enforcer/resources': additional properties 'limit' not allowed"],
    [
      'certificates.mode=manual',
      "at '/certificates/mode': value must be one of 'auto', 'certManager', 'provided'",
    ],
    ['certificates.mode=provided', "at '/certificates/provided/secretName': minLength: got 0, want 1"],
    ['policies.Gold.rules[0].name=a', "invalid propertyName 'Gold'"],
    ['policies.gold.rule=a', "at '/policies/gold': additional properties 'rule' not allowed"],
    [
      'networkPolicy.apiServerCIDRs={10.0.0.1}',
      "at '/networkPolicy/apiServerCIDRs/0': '10.0.0.1' does not match",
    ],
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
    (
      await cluster.kubectl([
        'auth',
        'can-i',
        '--as',
        `system:serviceaccount:${RELEASE}:${account}`,
        ...asked,
      ])
    ).stdout === 'yes\n'

  beforeAll(async () => {
    const kinds = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']
    await cluster.apply(...kindsOf(await renderChart(), ...kinds))
  })

  describe.each([
    {
      account: `${RELEASE}-webhook`,
      may: [
        'watch namespaces',
        'watch iolimitpolicies.policy.iops-limit',
        'patch iolimitpolicies.policy.iops-limit --subresource=status',
        'patch pods -n other',
        'create events -n other',
        `patch mutatingwebhookconfigurations/${WEBHOOK}`,
        `patch validatingwebhookconfigurations/${WEBHOOK}`,
        `get secrets/${WEBHOOK}-tls -n ${RELEASE}`,
        `update leases.coordination.k8s.io/${WEBHOOK} -n ${RELEASE}`,
        `create leases.coordination.k8s.io -n ${RELEASE}`,
      ],
      mayNot: [
        `get secrets/other -n ${RELEASE}`,
        `list secrets -n ${RELEASE}`,
        `get secrets/${WEBHOOK}-tls -n other`,
        'create secrets -n other',
        'patch mutatingwebhookconfigurations/other',
        `delete mutatingwebhookconfigurations/${WEBHOOK}`,
        'create pods -n other',
        'delete pods -n other',
        'patch namespaces',
        'patch iolimitpolicies.policy.iops-limit',
      ],
    },
    {
      account: `${RELEASE}-enforcer`,
      may: [
        'get nodes --subresource=pods',
        'get nodes --subresource=stats',
        'get nodes --subresource=metrics',
        'create tokenreviews.authentication.k8s.io',
        'create subjectaccessreviews.authorization.k8s.io',
        'watch pods -n other',
        'create events -n other',
      ],
      mayNot: [
        'get nodes',
        'get /iops-limit/v1/limits',
        'get nodes --subresource=proxy',
        'patch pods -n other',
        'get secrets -n other',
        'list namespaces',
        'list iolimitpolicies.policy.iops-limit',
      ],
    },
  ])('$account', ({ account, may, mayNot }) => {
    it.each(may)('may %s', async (asked) => {
      expect(await can(account, ...asked.split(' '))).toBe(true)
    })

    it.each(mayNot)('may not %s', async (asked) => {
      expect(await can(account, ...asked.split(' '))).toBe(false)
    })
  })
})

/** Tries to bind the pod `pod` to a node, with these annotations. */
const bind = (path: string, annotations: object): Promise<unknown> =>
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

describe('the webhook is called', () => {
  let counting: CountingWebhook

  beforeAll(async () => {
    counting = await startCountingWebhook()
    const kinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']
    const text = JSON.stringify(
      kindsOf(await renderChart('--set', 'webhook.exemptNamespaces={spared}'), ...kinds),
    )
    const redirected = text.replaceAll(
      /"clientConfig":\{"service":\{[^}]*"path":"([^"]+)"[^}]*\}\}/g,
      (_, path: string) =>
        `"clientConfig":{"url":"${counting.origin}${path}","caBundle":"${counting.caBundle}"}`,
    )
    expect(redirected).not.toContain('"service"')
    await cluster.apply(
      labelledNamespaceOf('enforced', { 'iops-limit/enforce': 'gold', 'iops-limit/warn': 'gold' }),
      labelledNamespaceOf('warned', { 'iops-limit/warn': 'gold' }),
      labelledNamespaceOf('audited', { 'iops-limit/audit': 'gold' }),
      namespaceOf('plain'),
      namespaceOf('spared', 'gold'),
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
    await post('enforced', podOf('enforced', 'exempt', { 'iops-limit/exempt-containers': 'main' }))
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

  /** A list is a JSON patch, a map is merged. */
  const patch = (path: string, body: object): Promise<unknown> =>
    cluster.client.request({
      method: 'PATCH',
      path,
      body,
      contentType: Array.isArray(body) ? 'application/json-patch+json' : 'application/merge-patch+json',
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
    ['a toleration', [{ op: 'add', path: '/spec/tolerations/-', value: { key: 'a', operator: 'Exists' } }]],
    ['an image', [{ op: 'replace', path: '/spec/containers/0/image', value: 'a:2' }]],
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
  ])('for an update of %s', async (_, body) => {
    await patch(POD, body)
    expect(counting.takeCalls()).toEqual(both('UPDATE pods'))
  })

  it('for a new image where containers are exempt, since the old image may be why', async () => {
    await patch('/api/v1/namespaces/enforced/pods/exempt', [
      { op: 'replace', path: '/spec/containers/0/image', value: 'a:2' },
    ])
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
      await bind(path, { other: 'a' })
      expect(counting.takeCalls()).toEqual([])
      await bind(path, { 'iops-limit/limit': '9' })
      expect(counting.takeCalls()).toEqual(both(`CREATE ${what}`))
    }
  })

  it.each([
    ['ephemeralcontainers', '/spec/ephemeralContainers', [{ name: 'debug', image: 'b:1' }]],
    ['resize', '/spec/containers/0/resources/requests/cpu', '2'],
  ])('for no %s, which cannot change annotations', async (subresource, at, value) => {
    const patched = await patch(`${POD}/${subresource}`, [
      { op: 'add', path: at, value },
      { op: 'add', path: '/metadata/annotations/iops-limit~1limit', value: '800' },
    ])
    expect(counting.takeCalls()).toEqual([])
    expect(patched).toMatchObject({ metadata: { annotations: { 'iops-limit/limit': '500' } } })
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
        body: labelledNamespaceOf(name, labels),
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
    expect(counting.takeCalls()).toEqual([
      '/validate CREATE iolimitpolicies',
      '/validate UPDATE iolimitpolicies',
    ])
    await cluster.apply(policy(6, { a: 'b' }))
    expect(counting.takeCalls()).toEqual([])
    await cluster.kubectl(['delete', 'iolp', 'counted'])
    expect(counting.takeCalls()).toEqual(['/validate DELETE iolimitpolicies'])
  })
})

describe('the mark of admission, without any webhook', () => {
  beforeAll(async () => {
    const text = await renderChart(
      '--set',
      'fullnameOverride=marks',
      '-s',
      'templates/admission-policies.yaml',
    )
    await cluster.apply(
      namespaceOf('open'),
      labelledNamespaceOf('only-warned', { 'iops-limit/warn': 'gold' }),
      namespaceOf('opted-in', 'gold'),
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
    expect(await create('only-warned', { 'iops-limit/exempt-containers': 'a' })).toContain(
      'written by iops-limit',
    )
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
    const path = '/api/v1/namespaces/open/pods/pod/binding'
    await expect(bind(path, { 'iops-limit/policy': 'a/b' })).rejects.toThrow('written by iops-limit')
    await expect(bind(path, {})).resolves.toBeDefined()
  })

  it('of the advisor belongs to its own user, and only on pods that stand, even where the webhook decides', async () => {
    await cluster.apply(podOf('opted-in', 'standing', {}))
    const key = 'iops-limit/adapted'
    const own = [`--as=system:serviceaccount:${RELEASE}:marks-webhook`, '--as-group=system:masters']
    const patched = async (value: string | null, ...flags: readonly string[]): Promise<string> => {
      const { stderr } = await cluster.kubectl([
        ...['patch', 'pod', '-n', 'opted-in', 'standing', ...flags],
        ...['-p', JSON.stringify({ metadata: { annotations: { [key]: value } } })],
      ])
      return stderr
    }
    const REFUSED = 'iops-limit/adapted is written by the advisor of iops-limit only: remove it'
    expect(await create('opted-in', { [key]: '{}' })).toContain(REFUSED)
    expect(await create('open', { [key]: '{}' })).toContain(REFUSED)
    expect(await patched('{}')).toContain(REFUSED)
    expect(await patched('{}', ...own)).toBe('')
    expect(await patched('{"lifted":""}')).toContain(REFUSED)
    expect(await patched(null)).toBe('')
    const created = await cluster.kubectl(
      ['create', '--dry-run=server', ...own, '-f', '-'],
      JSON.stringify(podOf('opted-in', 'new', { [key]: '{}' })),
    )
    expect(created.stderr).toContain(REFUSED)
  })

  it('may stay, and may be taken away, where a namespace has opted out', async () => {
    await cluster.apply(
      namespaceOf('leaving', 'gold'),
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
