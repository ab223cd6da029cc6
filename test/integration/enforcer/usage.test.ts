/** The whole program, with a kubelet, an API server that judges tokens, and a node that stand in: usage beside limits. */
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRecordedNode, markedPods, readRecorded } from '../../support/kernel/recordedNode.ts'
import { type RunningEnforcer, startEnforcer } from '../../support/kernel/runEnforcer.ts'
import {
  type Answer,
  createApiStandIn,
  json,
  type StandIn,
  standInEnv,
  startStandIn,
} from '../../support/kernel/standIns.ts'

const DB = '005fc95c-aff6-4020-87fd-e1e3ffac3e9f'
const SLICE = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${DB.replaceAll('-', '_')}.slice`
const SCOPE = 'cri-containerd-f7c90f18007e67691ad4e78459fabc05522aeb512b6e6cf162eb2b9a452abe91.scope'
const PG = `${SLICE}/${SCOPE}`

let node: ReturnType<typeof createRecordedNode>
let kubelet: StandIn
let metrics: Answer
let summary: Answer
const made: AsyncDisposable[] = []

const text =
  (body: string, status = 200): Answer =>
  (_, response) => {
    response.writeHead(status)
    response.end(body)
  }

/** cAdvisor's metrics as recorded, and as they are so much later, with so many more writes of `pg`. */
function cadvisorAfter(milliseconds: number, writes: number): string {
  return readRecorded('kubelet-metrics-cadvisor.txt')
    .split('\n')
    .map((line) => line.replace(/ (\d{13})$/, (_, at: string) => ` ${Number(at) + milliseconds}`))
    .map((line) =>
      line.startsWith('container_fs_writes_total{container="pg"')
        ? line.replace(' 159198 ', ` ${159198 + writes} `)
        : line,
    )
    .join('\n')
}

beforeEach(async () => {
  node = createRecordedNode()
  metrics = text(readRecorded('kubelet-metrics-cadvisor.txt'))
  summary = text(readRecorded('kubelet-stats-summary.json'))
  kubelet = await startStandIn((request, response) => {
    if (request.url === '/stats/summary') return summary(request, response)
    if (request.url === '/metrics/cadvisor') return metrics(request, response)
    json(markedPods())(request, response)
  })
  made.push(kubelet)
})
afterEach(async () => {
  for (const thing of made.splice(0).toReversed()) await thing[Symbol.asyncDispose]()
  node.dispose()
})

function start(
  env: Record<string, string> = {},
  argv: readonly string[] = [],
  clock = () => performance.now(),
): RunningEnforcer {
  const enforcer = startEnforcer(['--check-interval', '200ms', '--usage-interval', '1s', ...argv], {
    env: { ...node.env, ...standInEnv(kubelet), ...env },
    clock,
  })
  made.push(enforcer)
  return enforcer
}

interface Item {
  readonly pod: string
  readonly container: string | null
  readonly limit: object
  readonly usage?: Readonly<Record<string, unknown>>
  readonly [key: string]: unknown
}

async function get(enforcer: RunningEnforcer, path: string, headers: Record<string, string> = {}) {
  const response = await fetch((await enforcer.origin()) + path, { headers })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { items: Item[]; total: number; continue?: string; error?: string },
  }
}

const pgOf = async (enforcer: RunningEnforcer): Promise<Item | undefined> =>
  (await get(enforcer, '/api/v1/containers?namespace=default&pod=db')).body.items.find(
    ({ container }) => container === 'pg',
  )

const usageOf = async (enforcer: RunningEnforcer) => (await pgOf(enforcer))?.usage ?? {}

const PATIENCE = { timeout: 10_000 }
const SUMMARY_COUNTS_NOTHING = 'kubelet summary: it counts neither operations nor bytes'

describe('usage stands beside limits', () => {
  it("by cAdvisor's counters and its own times, with the summary's pressure", async () => {
    const enforcer = start()
    await expect
      .poll(() => usageOf(enforcer), PATIENCE)
      .toMatchObject({
        source: 'cadvisor',
        gap: 'there is one sample so far: rates need two',
      })
    metrics = text(cadvisorAfter(10_000, 2_005))
    await expect.poll(async () => (await usageOf(enforcer))['writeIOPS'], PATIENCE).toBe(200.5)
    const pg = await pgOf(enforcer)
    expect(pg).toMatchObject({
      namespace: 'default',
      pod: 'db',
      uid: DB,
      container: 'pg',
      device: '259:0',
      path: node.cgroup(PG),
      limit: {},
      usage: {
        ...{ readIOPS: 0, writeIOPS: 200.5, readBPS: 0, writeBPS: 0, seconds: 10 },
        source: 'cadvisor',
        passedOver: [SUMMARY_COUNTS_NOTHING],
        pressureSeconds: { some: 5.562178, full: 5.562178 },
      },
    })
    expect(pg?.usage?.['age']).toBeLessThan(5)
    const limits = (await get(enforcer, '/api/v1/limits?pod=db')).body.items[0] as unknown as {
      cgroups: Item[]
    }
    expect(limits.cgroups.find(({ container }) => container === 'pg')?.usage).toMatchObject({
      writeIOPS: 200.5,
    })
    const scraped = await (await fetch(`${await enforcer.origin()}/metrics`)).text()
    expect(scraped).toMatch(/iops_limit_enforcer_usage_series\{source="cadvisor"\} [1-9]/)
    expect(scraped).toMatch(/iops_limit_enforcer_usage_sample_seconds_count [1-9]/)
    expect(scraped).toMatch(/iops_limit_enforcer_calls_total\{target="kubelet",code="200"\}/)
  })

  it('by the cgroup, where cAdvisor does not know it or the kubelet refuses, and says why', async () => {
    metrics = text('no', 403)
    summary = text('nor this', 403)
    const stat = node.cgroup(PG, 'io.stat')
    writeFileSync(stat, '')
    const enforcer = start()
    const passedOver = [
      'kubelet summary: GET /stats/summary: nor this (HTTP 403)',
      'kubelet cAdvisor: GET /metrics/cadvisor: no (HTTP 403)',
    ]
    await expect.poll(() => usageOf(enforcer), PATIENCE).toMatchObject({ source: 'cgroup', passedOver })
    // The kernel begins the disk's line with the first operation.
    writeFileSync(stat, '259:0 rbytes=8192 wbytes=40960000 rios=2 wios=10000 dbytes=0 dios=0\n')
    await expect
      .poll(async () => Number((await usageOf(enforcer))['writeIOPS']), PATIENCE)
      .toBeGreaterThan(1000)
    const warned = enforcer.log.filter(({ msg }) => msg.startsWith("usage is read from the cgroups' files"))
    expect(warned.map(({ level, msg }) => [level, msg])).toEqual([
      [
        'warn',
        "usage is read from the cgroups' files, since the kubelet does not tell it: GET /stats/summary: nor this (HTTP 403)",
      ],
      [
        'warn',
        "usage is read from the cgroups' files, since the kubelet does not tell it: GET /metrics/cadvisor: no (HTTP 403)",
      ],
    ])
    metrics = text(readRecorded('kubelet-metrics-cadvisor.txt').replaceAll('f7c90f18', 'aaaaaaaa'))
    await expect
      .poll(async () => (await usageOf(enforcer))['passedOver'], PATIENCE)
      .toEqual([passedOver[0], 'kubelet cAdvisor: it does not count this cgroup on disk 259:0'])
    metrics = text(readRecorded('kubelet-metrics-cadvisor.txt').replaceAll(/ \d{13}$/gm, ''))
    await expect
      .poll(async () => (await usageOf(enforcer))['passedOver'], PATIENCE)
      .toEqual([passedOver[0], 'kubelet cAdvisor: it does not tell when it counted'])
  }, 60_000)

  it('by the cgroup alone with SMART_LIMIT_USE_KUBELET_API=false', async () => {
    writeFileSync(node.cgroup(PG, 'io.stat'), '259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n')
    const enforcer = start({ SMART_LIMIT_USE_KUBELET_API: 'false' })
    const reason = 'it is not asked, since SMART_LIMIT_USE_KUBELET_API is false'
    await expect
      .poll(() => usageOf(enforcer), PATIENCE)
      .toMatchObject({
        source: 'cgroup',
        passedOver: [`kubelet summary: ${reason}`, `kubelet cAdvisor: ${reason}`],
      })
    expect(kubelet.calls.filter((call) => call !== '/pods')).toEqual([])
    expect((await pgOf(enforcer))?.['totals']).toEqual({ readBytes: 1, writtenBytes: 2, reads: 3, writes: 4 })
  })

  it('by nobody, where nobody counts', async () => {
    metrics = text('')
    const enforcer = start()
    await expect
      .poll(() => usageOf(enforcer), PATIENCE)
      .toMatchObject({
        source: null,
        gap: 'nobody counts it',
        passedOver: [
          SUMMARY_COUNTS_NOTHING,
          'kubelet cAdvisor: it does not count this cgroup on disk 259:0',
          expect.stringMatching(/^cgroup files: io\.stat cannot be read: ENOENT/) as string,
        ],
      })
  })

  it('as it is now, also where nobody looked for long and the kubelet was left alone', async () => {
    const samples = (): number => kubelet.calls.filter((call) => call === '/metrics/cadvisor').length
    let later = 0
    const enforcer = start({}, [], () => performance.now() + later)
    await expect.poll(async () => (await usageOf(enforcer))['source'], PATIENCE).toBe('cadvisor')
    later = 3_600_000
    await sleep(2_000)
    const known = samples()
    await sleep(3_000)
    expect(samples()).toBe(known)
    const usage = await usageOf(enforcer)
    expect(usage['source']).toBe('cadvisor')
    expect(usage['age']).toBeLessThan(2.5)
    await expect.poll(samples, PATIENCE).toBeGreaterThan(known + 3)
  })

  it('in pages, filtered by namespace and pod', async () => {
    const enforcer = start()
    await expect
      .poll(async () => (await get(enforcer, '/api/v1/containers')).body.total, PATIENCE)
      .toBeGreaterThan(5)
    const { items: all, total } = (await get(enforcer, '/api/v1/containers')).body
    const seen: Item[] = []
    for (let token = ''; ; ) {
      const { body } = await get(enforcer, `/api/v1/containers?limit=2&continue=${token}`)
      expect(body.items.length).toBeLessThanOrEqual(2)
      expect(body.total).toBe(total)
      seen.push(...body.items)
      if (body.continue === undefined) break
      token = body.continue
    }
    const nameOf = ({ path, device }: Item) => `${String(path)} ${String(device)}`
    expect(seen.map(nameOf)).toEqual(all.map(nameOf))
    expect(seen.length).toBe(total)
    const inSystem = await get(enforcer, '/api/v1/containers?namespace=kube-system')
    expect(new Set(inSystem.body.items.map(({ pod }) => pod))).toEqual(new Set(['exact', 'static-node-a']))
    expect((await get(enforcer, '/api/v1/containers?pod=nobody')).body).toEqual({ items: [], total: 0 })
  })
})

describe('who may look', () => {
  let api: StandIn
  const told = { username: 'system:serviceaccount:team:grafana', groups: ['team'], extra: { a: ['b'] } }
  let reviews: { readonly path: string; readonly spec: object }[]
  let allows: (path: string) => boolean

  beforeEach(async () => {
    const pods = createApiStandIn()
    reviews = []
    allows = () => true
    api = await startStandIn((request, response) => {
      const { url = '' } = request
      if (!url.includes('reviews')) return pods.answer(request, response)
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => {
        const { spec } = JSON.parse(body) as {
          spec: { token?: string; nonResourceAttributes?: { path: string } }
        }
        reviews.push({ path: url, spec })
        const status = url.includes('tokenreviews')
          ? spec.token === 'good'
            ? { authenticated: true, user: told }
            : {}
          : { allowed: allows(spec.nonResourceAttributes?.path ?? '') }
        json({ status }, 201)(request, response)
      })
    })
    made.push(api)
  })

  const open = (env: Record<string, string> = {}): RunningEnforcer =>
    start({ ...standInEnv(kubelet, api), ...env }, ['--host', '0.0.0.0'])

  const look = async (
    enforcer: RunningEnforcer,
    headers: Record<string, string>,
    path = '/api/v1/limits',
  ) => {
    await expect
      .poll(async () => (await fetch(`${await enforcer.origin()}/readyz`)).status, PATIENCE)
      .toBe(200)
    const { status, body, headers: answered } = await get(enforcer, path, headers)
    return { status, error: body.error, challenge: answered.get('www-authenticate') ?? undefined }
  }

  it('a known user who may get the path, asked about once in a while', async () => {
    const enforcer = open()
    for (const headers of [
      { authorization: 'Bearer good' },
      { authorization: 'bearer good' },
      { 'x-iops-limit-token': 'good' },
    ] as Record<string, string>[])
      expect(await look(enforcer, headers)).toEqual({ status: 200, error: undefined, challenge: undefined })
    expect(reviews).toEqual([
      { path: '/apis/authentication.k8s.io/v1/tokenreviews', spec: { token: 'good' } },
      {
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        spec: {
          ...{ user: told.username, groups: told.groups, extra: told.extra },
          nonResourceAttributes: { path: '/iops-limit/v1/limits', verb: 'get' },
        },
      },
    ])
    expect((await look(enforcer, { authorization: 'Bearer good' }, '/api/v1/containers')).status).toBe(200)
    expect(reviews.length).toBe(4)
  })

  it('nobody else', async () => {
    allows = (path) => path !== '/iops-limit/v1/containers'
    const enforcer = open({ API_AUDIENCE: 'iops-limit' })
    const challenge = 'Bearer realm="iops-limit-enforcer"'
    for (const headers of [{}, { authorization: 'Basic Zm9v' }, { 'x-iops-limit-token': '' }] as Record<
      string,
      string
    >[])
      expect(await look(enforcer, headers)).toEqual({
        status: 401,
        error:
          'show a bearer token: Authorization: Bearer TOKEN, or X-Iops-Limit-Token: TOKEN through a proxy that keeps the first to itself',
        challenge,
      })
    expect(reviews).toEqual([])
    expect(await look(enforcer, { authorization: 'Bearer bad' })).toEqual({
      status: 401,
      error: 'the API server does not know this token, or it is for others',
      challenge,
    })
    expect(reviews[0]?.spec).toEqual({ token: 'bad', audiences: ['iops-limit'] })
    expect(await look(enforcer, { authorization: 'Bearer good' }, '/api/v1/containers')).toEqual({
      status: 403,
      error:
        'system:serviceaccount:team:grafana may not look: bind a ClusterRole with nonResourceURLs ["/iops-limit/v1/containers"], verbs ["get"]',
      challenge: undefined,
    })
    // Health and metrics are for probes and for Prometheus.
    expect((await fetch(`${await enforcer.origin()}/metrics`)).status).toBe(200)
  })

  it('nobody, where the API server cannot be asked, and soon again', async () => {
    const enforcer = open()
    expect((await look(enforcer, { authorization: 'Bearer good' })).status).toBe(200)
    await api.stop()
    expect(await look(enforcer, { authorization: 'Bearer other' })).toMatchObject({
      status: 503,
      error: expect.stringMatching(
        /^the token cannot be checked: POST \/apis\/authentication\.k8s\.io\/v1\/tokenreviews: /,
      ) as string,
    })
    expect((await look(enforcer, { authorization: 'Bearer good' })).status).toBe(200)
    await api.start()
    await expect
      .poll(async () => (await look(enforcer, { authorization: 'Bearer other' })).status, PATIENCE)
      .toBe(401)
  })

  it('nobody, where there is no API server', async () => {
    const enforcer = start({}, ['--host', '0.0.0.0'])
    expect(await look(enforcer, { authorization: 'Bearer good' })).toEqual({
      status: 503,
      error:
        'tokens cannot be checked: there is no API server to ask; give the enforcer a service account, or HOST=127.0.0.1',
      challenge: undefined,
    })
  })
})
