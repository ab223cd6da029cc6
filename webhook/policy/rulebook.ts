import type { NamespaceInfo, Policy, PolicySet } from './policy.ts'
import { warnExemptNamespace, warnUnknownPolicy } from './warnings.ts'

/** All that decisions go by, beside the subject itself. */
export interface Rulebook {
  readonly policies: PolicySet
  /** Namespaces that no policy reaches, whatever their labels say: kube-system and our own. */
  readonly exemptNamespaces: readonly string[]
  /** The user name by which this product itself asks the API server; absent: it is not known, and nobody is it. */
  readonly self?: string
}

/** The policy that a namespace's label names, where it is in effect; else why not. */
export interface Found {
  readonly policy?: Policy
  /** The label names a policy that does not exist. */
  readonly unknown: boolean
  readonly warnings: readonly string[]
}

export function findPolicy(
  { policies, exemptNamespaces }: Rulebook,
  namespace: NamespaceInfo,
  label: string,
): Found {
  const name = Object.hasOwn(namespace.labels, label) ? namespace.labels[label] : undefined
  if (name === undefined) return { unknown: false, warnings: [] }
  const policy = policies.get(name)
  if (policy === undefined)
    return { unknown: true, warnings: [warnUnknownPolicy(label, name, [...policies.keys()])] }
  const isExempt =
    exemptNamespaces.includes(namespace.name) ||
    policy.exemptNamespaces.some(({ matches }) => matches(namespace.name))
  return isExempt
    ? { unknown: false, warnings: [warnExemptNamespace(namespace.name, name)] }
    : { policy, unknown: false, warnings: [] }
}
