/** Policies and namespaces as they are in force, wherever they come from. */
import { type CacheDeps, createClusterNamespaces, createClusterPolicies } from '../cluster/caches.ts'
import type { Following } from '../cluster/following.ts'
import type { FindNamespace } from '../cluster/lookup.ts'
import { Unavailable } from '../cluster/unavailable.ts'
import type { Namespaces, PolicySet } from '../policy/policy.ts'
import type { Files } from './configuration.ts'
import { needed } from './needed.ts'

export interface World {
  readonly policies: PolicySet
  readonly namespaces: Namespaces
  /** Policy objects whose present spec is not in force. */
  readonly refusedPolicies: number
  readonly findNamespace: FindNamespace
  /** Why decisions cannot be made yet, each a phrase. */
  readonly unready: readonly string[]
  /** Seconds since each watched collection's last sign of life; empty where nothing is watched. */
  readonly ages: Readonly<Record<string, number>>
  /** Has the listener called after each change; gives what ends that. */
  readonly onChange: (listener: () => void) => () => void
  readonly tellChanged: () => void
  /** Keeps it up until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

type WorldFiles = Pick<Files, 'policies' | 'namespaces'>
type ClusterDeps = Omit<CacheDeps, 'onChange'>

export function createWorld(files: WorldFiles, deps: ClusterDeps | undefined): World {
  const bell = createBell()
  const cluster = deps && { ...deps, onChange: bell.tellChanged }
  const policies = openPolicies(files, cluster)
  const namespaces = openNamespaces(files, cluster)
  const followings = [policies, namespaces].flatMap(({ following }) => following ?? [])
  const synced = Promise.all(followings.map((following) => following.synced))
  const findUnready = (): readonly string[] => followings.flatMap(({ unready }) => unready ?? [])
  return {
    ...bell,
    get policies() {
      return policies.current
    },
    get namespaces() {
      return namespaces.current
    },
    get refusedPolicies() {
      return policies.refused
    },
    get unready() {
      return findUnready()
    },
    get ages() {
      return Object.fromEntries(
        followings.flatMap(({ what, age }) => (age === undefined ? [] : [[what, age]])),
      )
    },
    findNamespace(name) {
      if (followings.every(({ unready }) => unready === undefined)) return namespaces.find(name)
      return waitFor(synced, findUnready, cluster).then(() => namespaces.find(name))
    },
    async run(stopped) {
      await Promise.all([policies.run(stopped), namespaces.run(stopped)])
    },
  }
}

function createBell(): Pick<World, 'onChange' | 'tellChanged'> {
  const listeners = new Set<() => void>()
  return {
    tellChanged() {
      for (const listener of listeners) listener()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** Milliseconds that a review waits for what is on its way at the start. */
const PATIENCE = 750

async function waitFor(
  synced: Promise<unknown>,
  findUnready: () => readonly string[],
  cluster: CacheDeps | undefined,
): Promise<void> {
  const late = new AbortController()
  await Promise.race([synced, cluster?.sleep(PATIENCE, late.signal).catch(() => undefined)])
  late.abort()
  const unready = findUnready()
  if (unready.length > 0) throw new Unavailable(unready.join('; '))
}

interface Part<T> {
  readonly current: T
  readonly following?: Following
  readonly run: (stopped: AbortSignal) => Promise<void>
}

const atRest = (): Promise<void> => Promise.resolve()

function openPolicies(
  { policies }: WorldFiles,
  cluster: CacheDeps | undefined,
): Part<PolicySet> & { readonly refused: number } {
  if (policies === undefined) return createClusterPolicies(needed(cluster))
  return {
    refused: 0,
    run: atRest,
    get current() {
      return policies.current
    },
  }
}

function openNamespaces(
  { namespaces }: WorldFiles,
  cluster: CacheDeps | undefined,
): Part<Namespaces> & { readonly find: FindNamespace } {
  if (namespaces === undefined) return createClusterNamespaces(needed(cluster))
  return {
    run: atRest,
    find: (name) => namespaces.current.get(name),
    get current() {
      return namespaces.current
    },
  }
}
