/** The back-fill in simulated time, against an API server that keeps versions and can be told to misbehave. */
import { describe, expect, it } from 'vitest'
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { type BackfillSettings, type Pass, runBackfill } from '../../../webhook/cluster/backfill.ts'
import type { Figures } from '../../../webhook/cluster/backfillTally.ts'
import type { NamespaceInfo, PolicySet } from '../../../webhook/policy/policy.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { createSimulation } from '../../support/simulation.ts'

const policyOf = (name: string, iops: number, max = 1000): string =>
  policyText(name, `{name: all, default: {iops: ${iops}}, max: {iops: ${max}}}`)

type Values = Readonly<Record<string, string | null>>

interface Stored {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly creationTimestamp: string
    readonly annotations: Values
  }
  readonly status: { readonly phase: string }
}

const refusal = (status: number, reason: string, retryAfter?: number): KubeError =>
  new KubeError(`${status} ${reason}`, { status, reason, ...(retryAfter !== undefined && { retryAfter }) })

/** Given a request, an error to answer with. */
type Trouble = (request: KubeRequest) => KubeError | undefined

function setUp(given: { readonly settings?: Partial<BackfillSettings>; readonly policies?: string } = {}) {
  const simulation = createSimulation()
  const pods = new Map<string, Stored>()
  const namespaces = new Map<string, NamespaceInfo>()
  const requests: { readonly at: number; readonly text: string }[] = []
  const bodies: unknown[] = []
  const troubles: Trouble[] = []
  const stop = new AbortController()
  let policies: PolicySet = policiesOf(given.policies ?? policyOf('gold', 500))
  let listener = (): void => undefined
  let version = 100
  const seen = {
    patched: 0,
    conflicted: 0,
    told: 0,
    errors: [] as string[],
    figures: [] as Figures[],
    passes: [] as Pass[],
  }

  const put = (pod: Omit<Stored['metadata'], 'resourceVersion'>, phase: string): void => {
    version++
    pods.set(`${pod.namespace}/${pod.name}`, {
      metadata: { ...pod, resourceVersion: String(version) },
      status: { phase },
    })
  }
  const list = (namespace: string | undefined, query: KubeRequest['query'] = {}): unknown => {
    const all = [...pods.values()].filter(
      ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
    )
    const start = Number(query['continue'] ?? 0)
    const end = start + Number(query['limit'])
    return {
      metadata: { resourceVersion: '1', ...(end < all.length && { continue: String(end) }) },
      items: all.slice(start, end),
    }
  }
  const patch = (key: string, body: unknown): unknown => {
    const pod = pods.get(key)
    const { metadata } = body as {
      readonly metadata: { readonly resourceVersion: string; readonly annotations: Values }
    }
    if (pod === undefined) throw refusal(404, 'NotFound')
    if (pod.metadata.resourceVersion !== metadata.resourceVersion) throw refusal(409, 'Conflict')
    const merged = Object.entries({ ...pod.metadata.annotations, ...metadata.annotations })
    put(
      { ...pod.metadata, annotations: Object.fromEntries(merged.filter(([, value]) => value !== null)) },
      pod.status.phase,
    )
    return pods.get(key)
  }
  const answer = ({ method, path, query, body }: KubeRequest): unknown => {
    const [, namespace, kind, name] =
      /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(pods|events)(?:\/([^/]+))?$/.exec(path) ?? []
    if (kind === 'events') return {}
    const key = `${namespace}/${name}`
    if (method === 'PATCH') return patch(key, body)
    if (name === undefined) return list(namespace, query)
    const found = pods.get(key)
    if (found === undefined) throw refusal(404, 'NotFound')
    return found
  }
  const client: KubeClient = {
    async request(request) {
      requests.push({ at: simulation.now, text: `${request.method} ${request.path}` })
      bodies.push(request.body)
      await simulation.sleep(5, request.signal)
      for (const [index, trouble] of troubles.entries()) {
        const error = trouble(request)
        if (error === undefined) continue
        troubles.splice(index, 1)
        throw error
      }
      return structuredClone(answer(request))
    },
    watch: () => {
      throw new Error('nobody watches')
    },
  }
  const start = () =>
    runBackfill({
      client,
      identity: 'webhook-a',
      readRulebook: () => ({ policies, exemptNamespaces: [] }),
      readNamespaces: () => namespaces,
      onChange(added) {
        listener = added
        return () => {
          listener = () => undefined
        }
      },
      clock: () => simulation.now / 1000,
      now: () => new Date(Date.UTC(2026, 0, 2) + simulation.now),
      random: () => 0.5,
      sleep: (milliseconds, signal) => simulation.sleep(milliseconds, signal),
      observe: {
        patched: () => seen.patched++,
        conflicted: () => seen.conflicted++,
        told: () => seen.told++,
        failed: (error) => seen.errors.push(error instanceof Error ? error.message : ''),
        counted: (figures) => seen.figures.push(figures),
        passed: (pass) => seen.passes.push(pass),
      },
      stopped: stop.signal,
      settings: { interval: 300_000, qps: 40, pageSize: 50, ...given.settings },
    })
  return {
    simulation,
    pods,
    requests,
    bodies,
    troubles,
    seen,
    start,
    addPod(namespace: string, name: string, annotations: Values = {}, phase = 'Running') {
      put(
        {
          namespace,
          name,
          uid: `uid-${namespace}-${name}`,
          creationTimestamp: '2026-01-01T00:00:00Z',
          annotations,
        },
        phase,
      )
    },
    removePod: (key: string) => pods.delete(key),
    label(name: string, policy?: string) {
      namespaces.set(name, { name, labels: policy === undefined ? {} : { 'iops-limit/enforce': policy } })
      listener()
    },
    forget(name: string) {
      namespaces.delete(name)
      listener()
    },
    enforce(...texts: readonly string[]) {
      const next = policiesOf(texts.join(''))
      policies = new Map([...policies, ...next])
      listener()
    },
    annotationsOf: (key: string) => pods.get(key)?.metadata.annotations,
    sent: (text: string) => requests.filter((request) => request.text.startsWith(text)),
    async end() {
      stop.abort()
      await simulation.runTo(simulation.now + 1000)
    },
  }
}

const MARKED = {
  'iops-limit/read-iops': '500',
  'iops-limit/write-iops': '500',
  'iops-limit/policy': 'gold/all',
  'iops-limit/defaulted': 'read-iops,write-iops',
}

describe('a pass', () => {
  it('mends every pod that needs it, lists once and then rests', async () => {
    const world = setUp()
    world.label('team', 'gold')
    world.label('other')
    world.addPod('team', 'a')
    world.addPod('team', 'b', MARKED)
    world.addPod('other', 'c')
    const done = world.start()
    await world.simulation.runTo(10_000)
    expect(world.requests.map(({ text }) => text)).toEqual([
      'GET /api/v1/pods',
      'PATCH /api/v1/namespaces/team/pods/a',
    ])
    expect(world.bodies[1]).toEqual({
      metadata: { uid: 'uid-team-a', resourceVersion: '101', annotations: MARKED },
    })
    expect(world.seen.passes).toEqual([{ namespaces: 2, pods: 3, seconds: 0.01, isFull: true }])
    expect(world.seen.figures).toContainEqual({ unlimited: 1, outOfBounds: 0, oldest: Date.UTC(2026, 0, 1) })
    await world.end()
    await done
    expect(world.seen.figures.at(-1)).toEqual({ unlimited: 0, outOfBounds: 0 })
  })

  it('comes again after the interval, over those that have opted in only', async () => {
    const world = setUp()
    world.label('team', 'gold')
    for (const name of ['x', 'y', 'z']) world.label(name)
    const done = world.start()
    await world.simulation.runTo(290_000)
    expect(world.requests).toHaveLength(1)
    world.addPod('team', 'a')
    await world.simulation.runTo(310_000)
    expect(world.requests.slice(1).map(({ text }) => text)).toEqual([
      'GET /api/v1/namespaces/team/pods',
      'PATCH /api/v1/namespaces/team/pods/a',
    ])
    await world.end()
    await done
  })

  it('keeps to its rate, 40 at once and 40 a second from there, many at the same time', async () => {
    const world = setUp()
    world.label('team', 'gold')
    for (let index = 0; index < 200; index++) world.addPod('team', `p-${index}`)
    const done = world.start()
    await world.simulation.runTo(1000)
    expect(world.seen.patched).toBeGreaterThan(70)
    expect(world.seen.patched).toBeLessThanOrEqual(80)
    await world.simulation.runTo(4500)
    expect(world.seen.patched).toBe(200)
    await world.end()
    await done
  })

  it('mends pods without any limit before it refreshes those with other ones', async () => {
    const world = setUp({ settings: { qps: 1 } })
    world.label('team', 'gold')
    for (let index = 0; index < 5; index++)
      world.addPod('team', `old-${index}`, { ...MARKED, 'iops-limit/read-iops': '400' })
    world.addPod('team', 'new')
    const done = world.start()
    await world.simulation.runTo(20_000)
    expect(world.sent('PATCH').map(({ text }) => text.split('/').at(-1))).toEqual([
      'new',
      'old-0',
      'old-1',
      'old-2',
      'old-3',
      'old-4',
    ])
    await world.end()
    await done
  })

  it('interrupts a long refresh for what cannot wait', async () => {
    const world = setUp({ settings: { qps: 1 } })
    world.label('team', 'gold')
    for (const name of ['x', 'y', 'z']) world.label(name)
    for (let index = 0; index < 40; index++)
      world.addPod('team', `old-${index}`, { ...MARKED, 'iops-limit/read-iops': '400' })
    const done = world.start()
    await world.simulation.runTo(5000)
    world.addPod('x', 'urgent')
    world.label('x', 'gold')
    await world.simulation.runTo(20_000)
    expect(world.annotationsOf('x/urgent')).toEqual(MARKED)
    expect(world.seen.patched).toBeLessThan(25)
    await world.simulation.runTo(60_000)
    expect(world.seen.patched).toBe(41)
    await world.end()
    await done
  })

  it('refreshes again what was refreshed before the policy changed in the middle', async () => {
    const world = setUp({ settings: { qps: 5 } })
    world.label('team', 'gold')
    for (let index = 0; index < 30; index++)
      world.addPod('team', `old-${index}`, { ...MARKED, 'iops-limit/read-iops': '400' })
    const done = world.start()
    await world.simulation.runTo(3000)
    world.enforce(policyOf('gold', 300))
    await world.simulation.runTo(60_000)
    for (const pod of world.pods.values())
      expect(pod.metadata.annotations['iops-limit/read-iops']).toBe('300')
    await world.end()
    await done
  })

  it('leaves pods alone whose namespace is not known, and forgets namespaces that are gone', async () => {
    const world = setUp()
    world.label('team', 'gold')
    world.addPod('stranger', 'a')
    const done = world.start()
    await world.simulation.runTo(1000)
    world.forget('team')
    await world.simulation.runTo(2000)
    world.addPod('team', 'b')
    world.label('team', 'gold')
    await world.simulation.runTo(3000)
    expect(world.sent('PATCH').map(({ text }) => text)).toEqual(['PATCH /api/v1/namespaces/team/pods/b'])
    await world.end()
    await done
  })

  it('counts from when the label came, where it came while this replica led', async () => {
    const world = setUp()
    world.label('team')
    world.addPod('team', 'a', { 'iops-limit/read-iops': 'many' })
    const done = world.start()
    await world.simulation.runTo(5000)
    world.label('team', 'gold')
    await world.simulation.runTo(6000)
    expect(world.seen.figures.at(-1)).toEqual({
      unlimited: 1,
      outOfBounds: 1,
      oldest: Date.UTC(2026, 0, 2) + 5200,
    })
    await world.end()
    await done
  })
})

describe('conflicts and refusals', () => {
  const mendOne = async (
    ...troubles: readonly (KubeError | ((world: ReturnType<typeof setUp>) => void))[]
  ) => {
    const world = setUp()
    world.label('team', 'gold')
    world.addPod('team', 'a')
    for (const trouble of troubles.toReversed())
      world.troubles.unshift(({ method }) => {
        if (method !== 'PATCH') return undefined
        if (trouble instanceof KubeError) return trouble
        trouble(world)
        return refusal(409, 'Conflict')
      })
    // One each, in the given order.
    const queue = world.troubles.splice(0)
    world.troubles.push(function next(request): KubeError | undefined {
      if (request.method !== 'PATCH') return undefined
      const error = queue.shift()?.(request)
      if (queue.length > 0) world.troubles.push(next)
      return error
    })
    const done = world.start()
    await world.simulation.runTo(29_000)
    return { ...world, finish: () => world.end().then(() => done) }
  }
  const CONFLICT = refusal(409, 'Conflict')

  it('reads again what another has changed, and decides anew', async () => {
    const world = await mendOne((current) => current.addPod('team', 'a', { 'iops-limit/limit': '70' }))
    expect(world.annotationsOf('team/a')).toEqual({
      'iops-limit/limit': '70',
      'iops-limit/policy': 'gold/all',
    })
    expect(world.seen).toMatchObject({ patched: 1, conflicted: 1, errors: [] })
    await world.finish()
  })

  it('writes nothing where another has mended it', async () => {
    const world = await mendOne((current) => current.addPod('team', 'a', MARKED))
    expect(world.seen).toMatchObject({ patched: 0, conflicted: 1 })
    expect(world.seen.figures.at(-1)).toEqual({ unlimited: 0, outOfBounds: 0 })
    await world.finish()
  })

  it('forgets a pod that is gone, or was replaced by another of its name', async () => {
    const gone = await mendOne((world) => world.removePod('team/a'))
    expect(gone.seen.figures.at(-1)).toEqual({ unlimited: 0, outOfBounds: 0 })
    await gone.finish()
    const deleted = await mendOne(refusal(404, 'NotFound'))
    expect(deleted.seen).toMatchObject({ patched: 0, errors: [] })
    await deleted.finish()
    const replaced = await mendOne((world) => {
      const before = world.pods.get('team/a')!
      world.pods.set('team/a', { ...before, metadata: { ...before.metadata, uid: 'another' } })
    })
    expect(replaced.seen).toMatchObject({ patched: 0, errors: [] })
    await replaced.finish()
  })

  it('leaves a pod that others keep changing for later: half a minute', async () => {
    const world = await mendOne(CONFLICT, CONFLICT, CONFLICT, CONFLICT)
    expect(world.seen).toMatchObject({ patched: 0, conflicted: 4, errors: [] })
    expect(world.seen.figures.at(-1)).toMatchObject({ unlimited: 1 })
    await world.simulation.runTo(31_000)
    expect(world.annotationsOf('team/a')).toEqual(MARKED)
    expect(world.seen.figures.at(-1)).toEqual({ unlimited: 0, outOfBounds: 0 })
    await world.finish()
  })

  it('waits as long as an overloaded API server asks', async () => {
    const world = await mendOne(refusal(429, 'TooManyRequests', 7000), refusal(503, 'ServiceUnavailable'))
    const [first, second, third] = world.sent('PATCH').map(({ at }) => at)
    expect(second! - first!).toBe(7005)
    expect(third! - second!).toBe(1005)
    expect(world.seen).toMatchObject({ patched: 1, conflicted: 0, errors: [] })
    await world.finish()
  })

  it('tells it where the API server stays overloaded', async () => {
    const busy = refusal(503, 'ServiceUnavailable')
    const world = await mendOne(busy, busy, busy, busy)
    expect(world.seen).toMatchObject({ patched: 0, errors: ['503 ServiceUnavailable'] })
    await world.finish()
  })

  it('goes on with the others where the API server refuses one', async () => {
    const world = setUp()
    world.label('team', 'gold')
    for (const name of ['a', 'b', 'c']) world.addPod('team', name)
    world.troubles.push(({ path }) => (path.endsWith('/pods/b') ? refusal(422, 'Invalid') : undefined))
    const done = world.start()
    await world.simulation.runTo(5000)
    expect(world.seen).toMatchObject({ patched: 2, errors: ['422 Invalid'] })
    expect(world.seen.figures.at(-1)).toMatchObject({ unlimited: 1 })
    await world.simulation.runTo(35_000)
    expect(world.seen.patched).toBe(3)
    await world.end()
    await done
  })

  it('begins again, after a pause, where the API server is lost in the middle', async () => {
    const world = setUp()
    world.label('team', 'gold')
    for (let index = 0; index < 20; index++) world.addPod('team', `p-${index}`)
    const lost = refusal(0, 'Unreachable')
    world.troubles.push(({ path }) => (path.endsWith('/pods/p-7') ? lost : undefined))
    world.troubles.push(({ path }) => (path.endsWith('/pods') ? lost : undefined))
    const done = world.start()
    await world.simulation.runTo(10_000)
    expect(world.seen).toMatchObject({ patched: 20, errors: ['0 Unreachable', '0 Unreachable'] })
    for (const pod of world.pods.values()) expect(pod.metadata.annotations).toEqual(MARKED)
    await world.end()
    await done
  })

  it('begins a refresh again, too', async () => {
    const world = setUp()
    world.label('team', 'gold')
    world.addPod('team', 'a', { ...MARKED, 'iops-limit/read-iops': '400' })
    world.troubles.push(({ method }) => (method === 'PATCH' ? refusal(401, 'Unauthorized', 3000) : undefined))
    const done = world.start()
    await world.simulation.runTo(2900)
    expect(world.seen).toMatchObject({ patched: 0, errors: ['401 Unauthorized'] })
    await world.simulation.runTo(10_000)
    expect(world.annotationsOf('team/a')).toEqual(MARKED)
    await world.end()
    await done
  })

  it('is stopped in the middle, quietly', async () => {
    const world = setUp({ settings: { qps: 1 } })
    world.label('team', 'gold')
    for (let index = 0; index < 20; index++) world.addPod('team', `p-${index}`)
    const done = world.start()
    await world.simulation.runTo(3500)
    await world.end()
    await done
    expect(world.seen.patched).toBeLessThan(5)
    expect(world.seen.errors).toEqual([])
  })
})

describe('a list in pages', () => {
  const listWith = async (count: number, expired = 0) => {
    const world = setUp({ settings: { pageSize: 3 } })
    world.label('team', 'gold')
    for (let index = 0; index < count; index++) world.addPod('team', `p-${index}`)
    for (let index = 0; index < expired; index++)
      world.troubles.push(({ query }) => (query?.['continue'] === '6' ? refusal(410, 'Expired') : undefined))
    const done = world.start()
    await world.simulation.runTo(60_000)
    await world.end()
    await done
    return world
  }

  it('comes whole', async () => {
    const world = await listWith(8)
    expect(world.sent('GET /api/v1/pods')).toHaveLength(3)
    expect(world.seen.patched).toBe(8)
  })

  it('begins again where the API server has forgotten it', async () => {
    const world = await listWith(8, 1)
    expect(world.sent('GET /api/v1/pods')).toHaveLength(6)
    expect(world.seen).toMatchObject({ patched: 8, errors: [] })
  })

  it('is a failure where that happens again and again; what was mended stays so', async () => {
    const world = await listWith(8, 6)
    expect(world.seen).toMatchObject({ patched: 8, errors: ['410 Expired'] })
  })
})

describe('Events', () => {
  const BAD = { 'iops-limit/read-iops': '9000' }
  const COMPLAINT =
    'policy gold, rule all: iops-limit/read-iops "9000" is above the max of 1000 for readIOPS; write 1000 or less'

  it('tell what is out of bounds, once', async () => {
    const world = setUp({ settings: { interval: 60_000 } })
    world.label('team', 'gold')
    world.addPod('team', 'a', BAD)
    const done = world.start()
    await world.simulation.runTo(1000)
    expect(world.bodies.at(-1)).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace: 'team', name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) as string },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'team', name: 'a', uid: 'uid-team-a' },
      type: 'Warning',
      reason: 'IOLimitOutOfBounds',
      message: COMPLAINT,
      source: { component: 'iops-limit-webhook' },
      reportingComponent: 'iops-limit-webhook',
      reportingInstance: 'webhook-a',
      firstTimestamp: '2026-01-02T00:00:00Z',
      lastTimestamp: '2026-01-02T00:00:00Z',
      count: 1,
    })
    await world.simulation.runTo(3_590_000)
    expect(world.seen.told).toBe(1)
    await world.simulation.runTo(3_700_000)
    expect(world.seen.told).toBe(2)
    await world.end()
    await done
  })

  it('are not written twice where another leader has, and stop nothing where they are refused', async () => {
    const world = setUp({ settings: { interval: 60_000 } })
    world.label('team', 'gold')
    for (const name of ['a', 'b', `${'x'.repeat(232)}----y.zzz`]) world.addPod('team', name, BAD)
    const troubles = [refusal(409, 'AlreadyExists'), refusal(403, 'Forbidden')]
    const trouble: Trouble = ({ path }) => (path.endsWith('/events') ? troubles.shift() : undefined)
    world.troubles.push(trouble, trouble)
    const done = world.start()
    await world.simulation.runTo(130_000)
    expect(world.seen).toMatchObject({ patched: 3, told: 1, errors: ['403 Forbidden'] })
    expect(world.sent('POST')).toHaveLength(3)
    const names = world.bodies.flatMap((body) =>
      body !== undefined && 'involvedObject' in (body as object)
        ? [(body as { metadata: { name: string } }).metadata.name]
        : [],
    )
    for (const name of names) {
      expect(name.length).toBeLessThanOrEqual(253)
      expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/)
    }
    await world.end()
    await done
  })
})
