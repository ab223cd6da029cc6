/** Leader election, in simulated time, against an API server that keeps versions and can be lost. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { LEASE_TIMINGS, runAsLeader } from '../../../kube/lease.ts'
import { createSimulation, type Simulation } from '../../support/simulation.ts'

const LEASE = { namespace: 'iops-limit', name: 'webhook' }
const PATH = '/apis/coordination.k8s.io/v1/namespaces/iops-limit/leases'

interface Stored {
  readonly metadata: { readonly resourceVersion: string }
  readonly spec: Readonly<Record<string, unknown>>
}

interface Server {
  lease: Stored | undefined
  readonly requests: KubeRequest[]
}

/** Lost: nothing is answered until the request's own time is over. */
type IsLost = (now: number) => boolean

/** As the API server: a version for each write, and a refusal where another one is stated. */
function createClient(server: Server, simulation: Simulation, isLost: IsLost): KubeClient {
  const answer = ({ method, body }: KubeRequest): Stored => {
    const sent = body as { metadata: { resourceVersion?: string }; spec: Stored['spec'] }
    const { lease } = server
    if (method === 'GET') {
      if (lease === undefined) throw new KubeError('none', { status: 404, reason: 'NotFound' })
      return lease
    }
    if (method === 'POST' && lease !== undefined)
      throw new KubeError('there is one', { status: 409, reason: 'AlreadyExists' })
    if (method === 'PUT' && sent.metadata.resourceVersion !== lease?.metadata.resourceVersion)
      throw new KubeError('another version', { status: 409, reason: 'Conflict' })
    const version = Number(lease?.metadata.resourceVersion ?? 0) + 1
    server.lease = { metadata: { resourceVersion: String(version) }, spec: sent.spec }
    return server.lease
  }
  return {
    async request(request) {
      expect(Number.isInteger(request.timeout)).toBe(true)
      server.requests.push(request)
      await simulation.sleep(20, request.signal)
      if (isLost(simulation.now)) {
        await simulation.sleep((request.timeout ?? 0) - 20, request.signal)
        throw new KubeError('lost', { status: 0, reason: 'Timeout' })
      }
      if (request.signal?.aborted === true) throw new KubeError('ended', { status: 0, reason: 'Unreachable' })
      return structuredClone(answer(request))
    },
    watch: () => {
      throw new Error('nobody watches')
    },
  }
}

interface Candidate {
  readonly log: string[]
  /** From true time to true time. */
  readonly terms: { readonly from: number; to: number }[]
  readonly stop: AbortController
  readonly done: Promise<void>
}

interface Character {
  readonly name: string
  /** Seconds of its clock in a second. */
  readonly rate?: number
  /** What its clock shows at the start, in seconds. */
  readonly shows?: number
  readonly isLost?: IsLost
  readonly random?: number
  readonly work?: (signal: AbortSignal) => Promise<void>
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

function contend(server: Server, simulation: Simulation, character: Character): Candidate {
  const { name, rate = 1, shows = 0, random = 0, work = untilAborted } = character
  const log: string[] = []
  const terms: { from: number; to: number }[] = []
  const stop = new AbortController()
  const done = runAsLeader(createClient(server, simulation, character.isLost ?? (() => false)), LEASE, {
    identity: name,
    clock: () => shows + (simulation.now / 1000) * rate,
    now: () => new Date(Date.UTC(2026, 0, 1) + simulation.now + shows * 1000),
    sleep: (milliseconds, signal) => simulation.sleep(milliseconds / rate, signal),
    random: () => random,
    stopped: stop.signal,
    async lead(signal) {
      const term = { from: simulation.now, to: Number.POSITIVE_INFINITY }
      terms.push(term)
      signal.addEventListener('abort', () => {
        term.to = simulation.now
      })
      await work(signal)
    },
    observe: {
      leading: () => log.push('leading'),
      ended: (why) => log.push(`ended: ${why}`),
      failed: (error) => log.push(`failed: ${error instanceof Error ? error.message : ''}`),
    },
  })
  return { log, terms, stop, done }
}

function setUp(...characters: readonly Character[]) {
  const simulation = createSimulation()
  const server: Server = { lease: undefined, requests: [] }
  const candidates = characters.map((character) => contend(server, simulation, character))
  const end = async (): Promise<void> => {
    for (const { stop } of candidates) stop.abort()
    await simulation.runTo(simulation.now + 10_000)
    await Promise.all(candidates.map(({ done }) => done))
  }
  return { simulation, server, candidates, end, spec: () => server.lease?.spec }
}

describe('alone', () => {
  it('takes the lease at once, renews it every two seconds, and gives it back when stopped', async () => {
    const { simulation, server, candidates, end, spec } = setUp({ name: 'a' })
    await simulation.runTo(100)
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET ${PATH}/webhook`,
      `POST ${PATH}`,
    ])
    expect(server.requests[1]?.body).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'iops-limit', name: 'webhook' },
      spec: {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.020000Z',
        renewTime: '2026-01-01T00:00:00.020000Z',
        leaseTransitions: 0,
      },
    })
    await simulation.runTo(60_000)
    expect(candidates[0]?.log).toEqual(['leading'])
    expect(server.requests).toHaveLength(2 + 2 * 29)
    expect(spec()?.['acquireTime']).toBe('2026-01-01T00:00:00.020000Z')
    await end()
    expect(spec()).toMatchObject({ holderIdentity: '', leaseTransitions: 0 })
    expect(candidates[0]?.log).toEqual(['leading', 'ended: it was asked to stop'])
  })

  it('goes on with a lease of its own name, as after a restart of its container', async () => {
    const { simulation, server, candidates, end } = setUp()
    server.lease = { metadata: { resourceVersion: '5' }, spec: { holderIdentity: 'a', leaseTransitions: 4 } }
    const candidate = contend(server, simulation, { name: 'a' })
    await simulation.runTo(100)
    expect(candidate.log).toEqual(['leading'])
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 4 })
    candidate.stop.abort()
    await end()
    expect(candidates).toEqual([])
  })

  it('takes over a lease that says nothing', async () => {
    const { simulation, server, end } = setUp()
    server.lease = { metadata: { resourceVersion: '5' }, spec: {} }
    const candidate = contend(server, simulation, { name: 'a' })
    await simulation.runTo(100)
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 })
    candidate.stop.abort()
    await end()
  })

  it('leads on through an outage shorter than the renew deadline', async () => {
    const { simulation, candidates, end } = setUp({ name: 'a', isLost: (now) => now > 4500 && now < 10_000 })
    await simulation.runTo(30_000)
    expect(candidates[0]?.log).toEqual(['leading', 'failed: lost'])
    await end()
  })

  it('gives up ten seconds behind its last renewal, and takes the lease again after the outage', async () => {
    const { simulation, candidates, end } = setUp({ name: 'a', isLost: (now) => now > 4500 && now < 40_000 })
    await simulation.runTo(60_000)
    const [candidate] = candidates
    expect(candidate?.log.filter((line) => !line.startsWith('failed'))).toEqual([
      'leading',
      'ended: the lease was lost',
      'leading',
    ])
    expect(candidate?.terms[0]?.to).toBeGreaterThan(13_000)
    expect(candidate?.terms[0]?.to).toBeLessThan(14_500)
    await end()
  })

  it('keeps its lease where another has only annotated it', async () => {
    const { simulation, server, candidates, end } = setUp({ name: 'a' })
    await simulation.runTo(2110)
    // Between its reading and its writing.
    server.lease = { ...server.lease!, metadata: { resourceVersion: '99' } }
    await simulation.runTo(20_000)
    expect(candidates[0]?.log).toEqual(['leading'])
    await end()
  })

  it('ends at once where another has taken the lease', async () => {
    const { simulation, server, candidates, end } = setUp({ name: 'a' })
    await simulation.runTo(3000)
    server.lease = { metadata: { resourceVersion: '99' }, spec: { holderIdentity: 'z', leaseTransitions: 1 } }
    await simulation.runTo(5000)
    expect(candidates[0]?.log).toEqual(['leading', 'ended: the lease was lost'])
    await end()
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'z' })
  })

  it('tells what broke its work, gives the lease back, and begins again', async () => {
    let times = 0
    const work = (signal: AbortSignal): Promise<void> =>
      times++ === 0 ? Promise.reject(new Error('broke')) : untilAborted(signal)
    const { simulation, candidates, spec, end } = setUp({ name: 'a', work })
    await simulation.runTo(1000)
    expect(spec()).toMatchObject({ holderIdentity: '' })
    await simulation.runTo(10_000)
    expect(candidates[0]?.log).toEqual(['leading', 'failed: broke', 'ended: it broke', 'leading'])
    await end()
  })

  it('gives the lease back where its work has come to its end', async () => {
    const { simulation, candidates, spec, end } = setUp({ name: 'a', work: () => Promise.resolve() })
    await simulation.runTo(1000)
    expect(candidates[0]?.log).toEqual(['leading', 'ended: it has nothing more to do'])
    expect(spec()).toMatchObject({ holderIdentity: '' })
    await end()
  })

  it('ends its work before it gives the lease back, and says nothing of what the end broke', async () => {
    const order: string[] = []
    const { simulation, server, candidates } = setUp({
      name: 'a',
      async work(signal) {
        await untilAborted(signal)
        await simulation.sleep(500)
        order.push(String(server.lease?.spec['holderIdentity']))
        throw new Error('broke in the end')
      },
    })
    await simulation.runTo(1000)
    candidates[0]?.stop.abort()
    await simulation.runTo(2000)
    expect(order).toEqual(['a'])
    expect(server.lease?.spec).toMatchObject({ holderIdentity: '' })
    expect(candidates[0]?.log).toEqual(['leading', 'ended: it was asked to stop'])
  })

  it('ends even where the lease cannot be given back', async () => {
    const { simulation, candidates, end } = setUp({ name: 'a', isLost: (now) => now > 3000 })
    await simulation.runTo(3100)
    await end()
    expect(candidates[0]?.log).toEqual(['leading', 'failed: lost', 'ended: it was asked to stop'])
  })

  it('is stopped before it has ever led', async () => {
    const { simulation, candidates, end } = setUp({ name: 'a', isLost: () => true })
    await simulation.runTo(25_000)
    expect(candidates[0]?.log).toEqual(['failed: lost', 'failed: lost'])
    await end()
    expect(candidates[0]?.terms).toEqual([])
  })
})

describe('two', () => {
  it('one leads; the other follows within seconds once it is given back', async () => {
    const { simulation, candidates, spec, end } = setUp({ name: 'a' }, { name: 'b', random: 0.9 })
    await simulation.runTo(30_000)
    expect(candidates.map(({ terms }) => terms.length)).toEqual([1, 0])
    candidates[0]?.stop.abort()
    await simulation.runTo(35_000)
    expect(candidates.map(({ terms }) => terms.length)).toEqual([1, 1])
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
    await end()
  })

  it('the other takes over from one that is gone without a word, not before the lease is over by its own clock', async () => {
    const { simulation, candidates, end } = setUp(
      { name: 'a', isLost: (now) => now > 10_000 },
      { name: 'b', shows: 1_000_000 },
    )
    await simulation.runTo(40_000)
    const [a, b] = candidates
    expect(a?.terms[0]?.to).toBeLessThan(18_500)
    expect(b?.terms[0]?.from).toBeGreaterThan(8000 + LEASE_TIMINGS.duration)
    expect(b?.terms[0]?.from).toBeLessThan(8000 + LEASE_TIMINGS.duration + 3000)
    await end()
  })

  it('never lead at the same time, whatever their clocks show and whoever loses the API server', async () => {
    const outages = fc.array(fc.tuple(fc.nat(180_000), fc.integer({ min: 100, max: 40_000 })), {
      maxLength: 4,
    })
    const character = fc.record({
      rate: fc.double({ min: 0.85, max: 1.15, noNaN: true }),
      shows: fc.integer({ min: 0, max: 1_000_000 }),
      random: fc.double({ min: 0, max: 0.99, noNaN: true }),
      outages,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(character, { minLength: 2, maxLength: 3 }), async (characters) => {
        const { simulation, candidates, end } = setUp(
          ...characters.map(({ outages: lost, ...rest }, index) => ({
            ...rest,
            name: `c${index}`,
            isLost: (now: number) => lost.some(([from, length]) => now >= from && now < from + length),
          })),
        )
        await simulation.runTo(200_000)
        const terms = candidates.flatMap((candidate) => candidate.terms).sort((a, b) => a.from - b.from)
        expect(terms.length).toBeGreaterThan(0)
        terms.slice(1).forEach((term, index) => {
          expect(term.from).toBeGreaterThanOrEqual(terms[index]!.to)
        })
        await end()
      }),
      { numRuns: 100 },
    )
  })
})
