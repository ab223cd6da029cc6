/** The enforcer's pages, guarded by a real API server: real service accounts, real tokens, real RBAC. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { namespaceOf } from '../support/cluster/objects.ts'
import { createRecordedNode, type GrowingNode, markedPods } from '../support/kernel/recordedNode.ts'
import { type RunningEnforcer, startEnforcer, writePods } from '../support/kernel/runEnforcer.ts'
import { until } from '../support/until.ts'

let cluster: Cluster
let node: GrowingNode
let enforcer: RunningEnforcer

const NAMESPACE = 'usage'

const account = (name: string): object => ({
  ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: NAMESPACE } },
})

const role = (name: string, rules: readonly object[]): object => ({
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules },
})

const bind = (name: string, user: string): object => ({
  ...{
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${user}-${name}` },
  },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [{ kind: 'ServiceAccount', name: user, namespace: NAMESPACE }],
})

async function createToken(name: string, audiences: readonly string[] = []): Promise<string> {
  const made = (await cluster.client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${name}/token`,
    body: {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
      spec: { expirationSeconds: 3600, ...(audiences.length > 0 && { audiences }) },
    },
  })) as { readonly status: { readonly token: string } }
  return made.status.token
}

async function start(argv: readonly string[] = []): Promise<RunningEnforcer> {
  const folder = path.join(node.folder, `account${argv.join('')}`)
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'ca.crt'), cluster.ca)
  writeFileSync(path.join(folder, 'token'), await createToken('enforcer'))
  const { hostname, port } = new URL(cluster.origin)
  const begun = startEnforcer(
    ['--host', '0.0.0.0', '--pods-file', writePods(node.folder, markedPods()), '--events=false', ...argv],
    {
      env: {
        ...node.env,
        ...{ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
        ...{ SERVICE_ACCOUNT_PATH: folder, SMART_LIMIT_USE_KUBELET_API: 'false' },
      },
    },
  )
  await until(async () => (await fetch(`${await begun.origin()}/readyz`)).ok)
  return begun
}

beforeAll(async () => {
  node = createRecordedNode()
  cluster = await startCluster()
  const reads = { verbs: ['get'] }
  await cluster.apply(
    namespaceOf(NAMESPACE),
    ...['enforcer', 'viewer', 'stranger', 'half'].map(account),
    role('usage-viewer', [{ ...reads, nonResourceURLs: ['/iops-limit/v1/*'] }]),
    role('usage-half', [{ ...reads, nonResourceURLs: ['/iops-limit/v1/limits'] }]),
    // What an enforcer needs for this is a role that every cluster has.
    bind('system:auth-delegator', 'enforcer'),
    bind('usage-viewer', 'viewer'),
    bind('usage-half', 'half'),
  )
  enforcer = await start()
})

afterAll(async () => {
  await enforcer[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
  node.dispose()
})

interface Seen {
  readonly status: number
  readonly total?: number
  readonly error?: string
}

async function look(page: string, token?: string, from = enforcer): Promise<Seen> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(`${await from.origin()}${page}`, { headers })
  const { total, error } = (await response.json()) as Omit<Seen, 'status'>
  return {
    status: response.status,
    ...(total !== undefined && { total }),
    ...(error !== undefined && { error }),
  }
}

const PAGES = ['/api/v1/containers', '/api/v1/limits']

describe('the pages', () => {
  it.each(PAGES)('%s: a service account whose role names it may look', async (page) => {
    const { status, total } = await look(`${page}?limit=1`, await createToken('viewer'))
    expect(status).toBe(200)
    expect(total).toBeGreaterThan(3)
  })

  it.each(PAGES)(
    '%s: one that is bound to nothing may not, though it may get /api/* of the API server, and is told what it takes',
    async (page) => {
      expect(await look(page, await createToken('stranger'))).toEqual({
        status: 403,
        error: `system:serviceaccount:usage:stranger may not look: bind a ClusterRole with nonResourceURLs ["${page.replace('/api/', '/iops-limit/')}"], verbs ["get"]`,
      })
    },
  )

  it('are judged one by one', async () => {
    const token = await createToken('half')
    expect(await Promise.all(PAGES.map(async (page) => (await look(page, token)).status))).toEqual([403, 200])
  })

  it('show nothing to a token that the API server does not know, or to none', async () => {
    const unknown = { status: 401, error: 'the API server does not know this token, or it is for others' }
    expect(await look('/api/v1/limits', 'a.b.c')).toEqual(unknown)
    expect(await look('/api/v1/limits', await createToken('viewer', ['somebody-else']))).toEqual(unknown)
    expect((await look('/api/v1/limits')).status).toBe(401)
  })

  it('take tokens that are made out to them alone, where they are told to', async () => {
    await using own = await start(['--api-audience', 'iops-limit'])
    const made = await createToken('viewer', ['iops-limit'])
    expect((await look('/api/v1/limits', made, own)).status).toBe(200)
    // Whoever overhears it cannot use it with the API server, nor the API server's here.
    expect((await look('/api/v1/limits', await createToken('viewer'), own)).status).toBe(401)
    expect((await look('/api/v1/limits', made)).status).toBe(401)
  })

  it('stay shut while the API server is away, but for those it judged a moment ago', async () => {
    const token = await createToken('viewer')
    const late = await createToken('viewer')
    expect((await look('/api/v1/limits', token)).status).toBe(200)
    await cluster.stopApiServer()
    expect((await look('/api/v1/limits', token)).status).toBe(200)
    expect(await look('/api/v1/limits', late)).toMatchObject({
      status: 503,
      error: expect.stringMatching(/^the token cannot be checked: POST /) as string,
    })
    await cluster.startApiServer()
    await until(async () => (await look('/api/v1/limits', late)).status === 200)
  })
})
