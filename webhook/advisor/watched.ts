/** The pods that the advisor has to do with, each with the rule that decides about it. */
import type { KubeClient } from '../../kube/client.ts'
import { readAdapted } from '../policy/adapted.ts'
import type { Adaptive, Rule } from '../policy/policy.ts'
import { findRule } from '../policy/rules.ts'
import { inTurns } from './inTurns.ts'
import { listNodePods, type NodePod } from './pods.ts'
import type { Region } from './regions.ts'

export interface Watched {
  readonly pod: NodePod
  readonly policy: string
  readonly rule: Rule | undefined
  /** Of the rule; absent: nobody needs to see what the pod does. */
  readonly adaptive?: Adaptive
}

export interface Gathered {
  readonly watched: readonly Watched[]
  /** Namespaces whose pods could not be listed. */
  readonly failed: ReadonlySet<string>
}

export interface GatherDeps {
  readonly client: KubeClient
  readonly signal: AbortSignal
  readonly observe: { readonly failed: (error: unknown) => void }
}

/** Lists under way at the same time. */
const AT_ONCE = 4

/** Rejects only where it was ended: a namespace that cannot be listed is told, and the others are there. */
export async function gatherPods(regions: readonly Region[], deps: GatherDeps): Promise<Gathered> {
  const { client, signal, observe } = deps
  const watched: Watched[] = []
  const failed = new Set<string>()
  await inTurns(regions, AT_ONCE, async (region) => {
    try {
      const pods = await listNodePods(client, region.namespace, signal)
      for (const pod of pods) watched.push(watch(pod, region))
    } catch (error) {
      signal.throwIfAborted()
      failed.add(region.namespace)
      observe.failed(error)
    }
  })
  return { watched, failed }
}

function watch(pod: NodePod, { policy }: Region): Watched {
  const rule = findRule(policy, pod.info.labels)
  const adaptive = rule?.exempt === false ? rule.adaptive : undefined
  return { pod, policy: policy.name, rule, ...(adaptive && { adaptive }) }
}

/** Something is imposed on the pod, and nobody has lifted it. */
export function isAdapted({ pod }: Watched): boolean {
  const adapted = readAdapted(pod.info.annotations)
  return adapted !== undefined && adapted.lifted === undefined
}

/** Of one policy. */
export interface Count {
  /** Pods whose rule is adaptive. */
  readonly watched: number
  /** Pods on which something is imposed. */
  readonly adapted: number
}

/** By name of the policy. */
export function countPods(watched: readonly Watched[]): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>()
  for (const one of watched) {
    const before = counts.get(one.policy) ?? { watched: 0, adapted: 0 }
    counts.set(one.policy, {
      watched: before.watched + Number(one.adaptive !== undefined),
      adapted: before.adapted + Number(isAdapted(one)),
    })
  }
  return counts
}
