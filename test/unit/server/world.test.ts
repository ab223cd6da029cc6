/** Policies and namespaces from a cluster, at the start and after. */
import { describe, expect, it } from 'vitest'
import type { KubeClient } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { Unavailable } from '../../../webhook/cluster/unavailable.ts'
import { createWorld } from '../../../webhook/server/world.ts'

interface Cluster {
  /** Answers to lists, by the path's end. */
  readonly lists: Record<string, () => Promise<unknown>>
}

const list = (...items: readonly object[]) => ({ metadata: { resourceVersion: '5' }, items })
const team = { metadata: { name: 'team', labels: { 'iops-limit/enforce': 'gold' } } }

function open({ lists }: Cluster) {
  let now = 100
  const told: unknown[] = []
  const client: KubeClient = {
    request: ({ path }) => lists[path.split('/').at(-1) ?? '']?.() ?? Promise.reject(new Error(path)),
    async *watch({ signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield* []
    },
  }
  const stop = new AbortController()
  const world = createWorld(
    {},
    {
      client,
      clock: () => now,
      now: () => new Date(0),
      random: () => 0,
      sleep: (milliseconds, signal) =>
        milliseconds === 750
          ? new Promise((resolve) => setTimeout(resolve, 50))
          : new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      observe: {
        synced: (what, seconds) => told.push(['synced', what, seconds]),
        failed: (what) => told.push(['failed', what]),
        restarted: () => undefined,
        looked: (result) => told.push(['looked', result]),
        statusFailed: () => undefined,
      },
    },
  )
  const ran = world.run(stop.signal)
  return {
    world,
    told,
    pass: (seconds: number) => void (now += seconds),
    end: async (): Promise<void> => {
      stop.abort()
      await ran
    },
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a cluster', () => {
  it('is known once both lists are in, and its age from then on', async () => {
    const { world, told, pass, end } = open({
      lists: {
        namespaces: () => Promise.resolve(list(team)),
        iolimitpolicies: () => Promise.resolve(list()),
      },
    })
    expect(world.unready).toEqual([
      'policies: not read from the cluster yet',
      'namespaces: not read from the cluster yet',
    ])
    let changes = 0
    const forget = world.onChange(() => void (changes += 1))
    await settle()
    expect(world.unready).toEqual([])
    expect(changes).toBe(2)
    forget()
    world.tellChanged()
    expect(changes).toBe(2)
    pass(7)
    expect(world.ages).toEqual({ policies: 7, namespaces: 7 })
    expect(world.findNamespace('team')).toEqual({ name: 'team', labels: team.metadata.labels })
    expect(told).toEqual([
      ['synced', 'policies', 0],
      ['synced', 'namespaces', 0],
      ['looked', 'hit'],
    ])
    expect(world.namespaces.size).toBe(1)
    expect(world.policies.size + world.refusedPolicies).toBe(0)
    await end()
  })

  it('lets a review wait until it is known', async () => {
    let answer: (value: unknown) => void = () => undefined
    const { world, end } = open({
      lists: {
        namespaces: () => new Promise((resolve) => (answer = resolve)),
        iolimitpolicies: () => Promise.resolve(list()),
      },
    })
    await settle()
    const early = Promise.resolve(world.findNamespace('team')).catch((error: unknown) => error)
    answer(list(team))
    expect(await Promise.race([early, settle()])).toMatchObject({ name: 'team' })
    await end()
  })

  it('lets a review wait for long only to say what is missing', async () => {
    const missing = new KubeError('not found', { status: 404, reason: 'NotFound' })
    const { world, end } = open({
      lists: {
        namespaces: () => Promise.resolve(list(team)),
        iolimitpolicies: () => Promise.reject(missing),
      },
    })
    await settle()
    const why =
      'policies: not read from the cluster yet: the cluster has no iolimitpolicies.policy.iops-limit: install the CRD (chart iops-limit, crds.install)'
    expect(world.unready).toEqual([why])
    expect(world.ages).toEqual({ namespaces: 0 })
    const failure = await Promise.resolve(world.findNamespace('team')).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Unavailable)
    expect(failure).toMatchObject({ message: why })
    await end()
  })
})
