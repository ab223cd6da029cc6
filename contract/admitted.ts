import { type Annotations, readLimitAnnotations, resolveLimits } from './annotations.ts'
import { EXEMPT_CONTAINERS_KEY, POLICY_KEY, type Scope } from './keys.ts'
import type { Limits } from './limits.ts'
import type { Problem } from './problem.ts'

/** The decision as it stands on an admitted pod: all that the enforcer may know. */
export interface Admitted {
  /** `POLICY/RULE` of the mark; absent on a pod that admission never limited. */
  readonly mark?: string
  /** `container` also where exempt containers imply it. */
  readonly scope: Scope
  /** Of the pod (scope `pod`) or of each container (scope `container`). */
  readonly limits: Limits
  /** Overrides by container name; each beats {@link limits} in the dimensions that it states. */
  readonly overrides: ReadonlyMap<string, Limits>
  /** Names of the containers that are left alone. */
  readonly exemptContainers: ReadonlySet<string>
  /** Keys that could not be read, and so limit nothing. */
  readonly problems: readonly Problem[]
}

export function readAdmitted(annotations: Annotations): Admitted {
  const { pod, scope, containers, problems } = readLimitAnnotations(annotations)
  const exemptContainers = new Set(splitList(annotations[EXEMPT_CONTAINERS_KEY] ?? ''))
  const mark = annotations[POLICY_KEY]
  return {
    ...(mark !== undefined && mark !== '' && { mark }),
    scope: exemptContainers.size > 0 ? 'container' : (scope ?? 'pod'),
    limits: resolveLimits(pod),
    overrides: new Map([...containers].map(([name, keyed]) => [name, resolveLimits(keyed)])),
    exemptContainers,
    problems,
  }
}

/** The names in a comma-separated annotation. */
export const splitList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** What one container may do: its override's dimensions, else the common ones. */
export const limitsOf = ({ limits, overrides }: Admitted, container: string): Limits => ({
  ...limits,
  ...overrides.get(container),
})
