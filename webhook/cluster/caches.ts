/** What the webhook knows of a cluster, kept up by watches. A look into it calls nobody. */
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import type { Namespaces, PolicySet } from '../policy/policy.ts'
import { createFollowing, type Following, type FollowingObserver } from './following.ts'
import { createLookup, type FindNamespace, type LookupResult } from './lookup.ts'
import { createNamespaceCache, slimNamespace } from './namespaces.ts'
import { createPolicyCache, POLICIES_PATH, POLICY_CRD } from './policies.ts'
import { createPolicyStatus } from './policyStatus.ts'

export interface CacheObserver extends FollowingObserver {
  readonly looked: (result: LookupResult) => void
  /** A policy's status could not be written; it is tried again. */
  readonly statusFailed: (error: unknown) => void
}

export interface CacheDeps {
  readonly client: KubeClient
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly now: () => Date
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly observe: CacheObserver
  /** Called after each change of what is known. */
  readonly onChange: () => void
}

export interface ClusterPolicies {
  readonly following: Following
  readonly current: PolicySet
  /** Policy objects whose present spec is not in force. */
  readonly refused: number
  /** Until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

/** Policies by their CRD; each gets its verdict written into its status. */
export function createClusterPolicies(deps: CacheDeps): ClusterPolicies {
  const status = createPolicyStatus({ ...deps, onFailed: deps.observe.statusFailed })
  const cache = createPolicyCache({ onChange: deps.onChange, onJudged: status.judged })
  const following = createFollowing(
    { what: 'policies', path: POLICIES_PATH, events: cache, explain: explainMissing },
    deps,
  )
  return {
    following,
    get current() {
      return cache.current
    },
    get refused() {
      return cache.refused
    },
    async run(stopped) {
      await Promise.all([following.run(stopped), status.run(stopped)])
    },
  }
}

const explainMissing = (error: unknown): string | undefined =>
  isKubeError(error, 'NotFound')
    ? `the cluster has no ${POLICY_CRD}: install the CRD (chart iops-limit, crds.install)`
    : undefined

export interface ClusterNamespaces {
  readonly following: Following
  readonly current: Namespaces
  readonly find: FindNamespace
  /** Until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

export function createClusterNamespaces(deps: CacheDeps): ClusterNamespaces {
  const { client, clock, observe } = deps
  const { current, ...events } = createNamespaceCache(deps.onChange)
  const following = createFollowing(
    { what: 'namespaces', path: '/api/v1/namespaces', slim: slimNamespace, events },
    deps,
  )
  const find = createLookup({ client, known: current, clock, observe: observe.looked })
  return { following, current, find, run: following.run }
}
