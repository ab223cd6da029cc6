/** Which namespaces the advisor has to look at: the fewer the better, since each is a list of pods. */
import { ENFORCE_LABEL } from '../../contract/keys.ts'
import type { Namespaces, Policy } from '../policy/policy.ts'
import { findPolicy, type Rulebook } from '../policy/rulebook.ts'

export interface Region {
  readonly namespace: string
  readonly policy: Policy
  /** False: nothing adapts here any more, and what was imposed has to go. */
  readonly isAdaptive: boolean
}

/** Namespaces with nothing imposed, by the policy under which that was seen. */
export type Cleared = ReadonlyMap<string, Policy>

/**
 * Each namespace that enforces a policy with adaptive rules; and once each that enforces another, for an annotation cannot be
 * listed by: there its limits may date from before the policy was changed. A policy that has not changed is the same object.
 */
export function findRegions(rulebook: Rulebook, namespaces: Namespaces, cleared: Cleared): readonly Region[] {
  return [...namespaces.values()].flatMap((namespace) => {
    const { policy } = findPolicy(rulebook, namespace, ENFORCE_LABEL)
    if (policy === undefined) return []
    const isAdaptive = policy.rules.some((rule) => !rule.exempt && rule.adaptive !== undefined)
    return isAdaptive || cleared.get(namespace.name) !== policy
      ? [{ namespace: namespace.name, policy, isAdaptive }]
      : []
  })
}
