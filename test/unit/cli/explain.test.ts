import { describe, expect, it } from 'vitest'
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { askCluster } from '../../../webhook/cli/explain/ask.ts'
import { formatStory } from '../../../webhook/cli/explain/story.ts'

const POD = {
  metadata: {
    name: 'web',
    namespace: 'team',
    annotations: {
      'iops-limit/read-iops': '700',
      'iops-limit/write-iops': '500',
      'iops-limit/defaulted': 'write-iops',
      'iops-limit/exempt-containers': 'log',
      'iops-limit/policy': 'gold/all',
    },
  },
  spec: {
    nodeName: 'node-1',
    containers: [
      { name: 'main', image: 'web' },
      { name: 'log', image: 'log' },
    ],
  },
}

const NAMESPACES = [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team', labels: { 'iops-limit/enforce': 'gold' } },
  },
]
const POLICIES = [
  {
    apiVersion: 'policy.iops-limit/v1alpha1',
    kind: 'IOLimitPolicy',
    metadata: { name: 'gold' },
    spec: { rules: [{ name: 'all', exemptContainers: { names: ['log'] }, default: { iops: 500 } }] },
  },
]
const LIMITS = {
  items: [
    {
      state: 'failing',
      cgroups: [
        {
          container: 'main',
          device: '8:0',
          wanted: { readIOPS: 700, writeIOPS: 500 },
          inForce: { readIOPS: 700 },
        },
        { container: null, device: '259:0', wanted: {}, inForce: {} },
      ],
      problems: ['io.max of main: EBUSY'],
    },
  ],
}
const ENFORCERS = { items: [{ metadata: { namespace: 'iops-limit', name: 'enforcer-x' } }] }

const PROXY = '/api/v1/namespaces/iops-limit/pods/enforcer-x:8081/proxy/api/v1/limits'

/** An API server that gives fixed answers; a function answers as it likes. */
function createApi(answers: Readonly<Record<string, unknown>> = {}): KubeClient {
  const known: Readonly<Record<string, unknown>> = {
    '/api/v1/namespaces/team/pods/web': POD,
    '/api/v1/namespaces': { items: NAMESPACES },
    '/apis/policy.iops-limit/v1alpha1/iolimitpolicies': { items: POLICIES },
    '/api/v1/pods': ENFORCERS,
    [PROXY]: LIMITS,
    ...answers,
  }
  return {
    async request({ path }: KubeRequest) {
      const answer = known[path]
      if (answer instanceof Error) throw answer
      return await Promise.resolve(answer)
    },
    watch: () => {
      throw new Error('nothing is watched')
    },
  }
}

const tell = async (answers?: Readonly<Record<string, unknown>>): Promise<string> => {
  const api = createApi(answers)
  const asked = { namespace: 'team', pod: 'web', exemptNamespaces: [] }
  return formatStory(await askCluster({ api, enforcer: api }, asked))
}

describe('a pod explained', () => {
  it('on its node: what each container may do, and what holds on each disk', async () => {
    expect(await tell()).toBe(`Pod team/web on node node-1
  namespace: iops-limit/enforce=gold
  decided by: policy gold, rule all
  its author asked: iops-limit/read-iops=700
  admission filled in: iops-limit/write-iops=500
  limits of each container:
    container main: read-iops=700 write-iops=500
    container log: exempt, no limit
  on its node: failing, says enforcer iops-limit/enforcer-x
    disk 8:0, container main: read-iops=700, wanted read-iops=700 write-iops=500
    disk 259:0, the pod: no limit
    io.max of main: EBUSY
`)
  })

  const adaptedTo = (adapted: object): object => ({
    ...POD,
    metadata: {
      ...POD.metadata,
      annotations: {
        ...POD.metadata.annotations,
        'iops-limit/read-iops': '300',
        'iops-limit/adapted': JSON.stringify({
          ...{ since: '2026-11-21T12:14:00.000Z', why: 'all: read-iops 650/s over 15m, above 400' },
          ...{ imposed: { 'read-iops': '300' }, replaced: { 'read-iops': '700' } },
          ...adapted,
        }),
      },
    },
  })

  it('on which something is imposed: what its author asked stands behind it', async () => {
    const text = await tell({ '/api/v1/namespaces/team/pods/web': adaptedTo({}) })
    expect(text).toContain(`  its author asked: iops-limit/read-iops=700
  admission filled in: iops-limit/write-iops=500
  imposed for what it did: iops-limit/read-iops=300, since 2026-11-21T12:14:00.000Z (all: read-iops 650/s over 15m, above 400)
  limits of each container:
    container main: read-iops=300 write-iops=500
`)
    expect(text).not.toContain('made anew')
  })

  it('of which somebody lifted what was imposed', async () => {
    const lifted = adaptedTo({ imposed: {}, replaced: {}, lifted: '2026-11-21T13:00:00.000Z' })
    expect(await tell({ '/api/v1/namespaces/team/pods/web': lifted })).toContain(
      '  imposed for what it did: nothing any more, somebody lifted it (seen at 2026-11-21T13:00:00.000Z)\n',
    )
  })

  it('whose enforcer wants a token', async () => {
    const refused = new KubeError(`GET ${PROXY}: show a bearer token (HTTP 401)`, {
      status: 401,
      reason: 'Unauthorized',
    })
    expect(await tell({ [PROXY]: refused })).toContain(
      `  on its node: not known, GET ${PROXY}: show a bearer token (HTTP 401); give a token by --enforcer-token FILE\n`,
    )
  })

  it('on a node without an enforcer, or with one that does not know it', async () => {
    expect(await tell({ '/api/v1/pods': { items: [] } })).toContain(
      'on its node: not known, there is no enforcer on node node-1 (no pod with app.kubernetes.io/component=enforcer)\n',
    )
    expect(await tell({ [PROXY]: { items: [] } })).toContain(
      'on its node: not known, enforcer iops-limit/enforcer-x does not know the pod yet\n',
    )
  })

  it('that policy would decide otherwise about today', async () => {
    const [policy] = POLICIES
    const capped = {
      ...policy,
      spec: { rules: [{ name: 'small', max: { iops: 100 }, default: { iops: 50 } }] },
    }
    const text = await tell({ '/apis/policy.iops-limit/v1alpha1/iolimitpolicies': { items: [capped] } })
    expect(text).toContain(`  made anew now: refused, by gold/small
    refused: iops-limit/read-iops "700" is above the max of 100 for readIOPS; write 100 or less
`)
  })

  it('with keys that nobody can read, in a namespace without labels, unmarked', async () => {
    const pod = { ...POD, metadata: { ...POD.metadata, annotations: { 'iops-limit/read-iops': 'many' } } }
    const plain = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }]
    const text = await tell({
      '/api/v1/namespaces/team/pods/web': pod,
      '/api/v1/namespaces': { items: plain },
    })
    expect(text).toContain('  namespace: no label of iops-limit: nothing is enforced here\n')
    expect(text).toContain(
      '  decided by: nobody: the pod lacks iops-limit/policy, so the enforcer leaves it alone\n',
    )
    expect(text).toContain('  cannot be read, and limits nothing: iops-limit/read-iops: "many"')
  })

  it('a cluster without the policies knows none', async () => {
    const missing = new KubeError('not found', { status: 404, reason: 'NotFound' })
    const text = await tell({ '/apis/policy.iops-limit/v1alpha1/iolimitpolicies': missing })
    expect(text).toContain('made anew now:')
  })
})
