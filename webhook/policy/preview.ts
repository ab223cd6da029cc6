/** What a change of a namespace's labels would do to the pods that run there, in numbers. */
import { readAdmitted } from '../../contract/admitted.ts'
import type { Annotations } from '../../contract/annotations.ts'
import { AUDIT_LABEL, DIMENSION_NAMES, ENFORCE_LABEL, PREFIX, WARN_LABEL } from '../../contract/keys.ts'
import { DIMENSIONS, type Limits } from '../../contract/limits.ts'
import { formatLimit } from '../../contract/overrides.ts'
import { findAsked } from './asked.ts'
import { carryOut } from './changes.ts'
import { type Evaluation, evaluate } from './evaluate.ts'
import { planChanges } from './plan.ts'
import type { NamespaceInfo } from './policy.ts'
import { findPolicy, type Rulebook } from './rulebook.ts'
import { isMirrorPod, type PodInfo } from './subject.ts'
import { describeViolations, type Violation } from './violation.ts'

export type ModeLabel = (typeof MODE_LABELS)[number]

/** In the order in which they are told. */
export const MODE_LABELS = [ENFORCE_LABEL, WARN_LABEL, AUDIT_LABEL] as const

/** What one label would do to one pod. */
export interface Effect {
  /** `write-iops 2000 -> 500`; empty: nothing. */
  readonly change: string
  readonly kinds: ReadonlySet<Violation['kind']>
  /** What is wrong with the pod, a sentence each. */
  readonly complaints: readonly string[]
}

/** Undefined for a pod that is left alone. `namespace` is as it would be. */
export function preview(
  label: ModeLabel,
  { namespace, pod }: { readonly namespace: NamespaceInfo; readonly pod: PodInfo },
  rulebook: Rulebook,
): Effect | undefined {
  if (pod.deleting || isMirrorPod(pod)) return undefined
  const { policy } = findPolicy(rulebook, namespace, label)
  if (label !== ENFORCE_LABEL) {
    const enforced = findPolicy(rulebook, namespace, ENFORCE_LABEL).policy
    return policy === undefined || policy === enforced
      ? NONE
      : previewAdvice(evaluate(policy, { namespace, pod: asUserWrote(pod) }))
  }
  const before = limitsInForce(pod.annotations)
  if (policy === undefined) return { ...NONE, change: formatDifference(before, {}) }
  // As an update that keeps everything a user wrote: our defaults are refreshed, and nothing is refused.
  const subject = { namespace, pod, old: pod }
  const evaluation = evaluate(policy, subject)
  const after = limitsInForce(carryOut(planChanges(evaluation, subject), pod.annotations))
  return { ...findFaults(evaluation), change: formatDifference(before, after) }
}

const NONE: Effect = { change: '', kinds: new Set(), complaints: [] }

const asUserWrote = (pod: PodInfo): PodInfo => ({
  ...pod,
  annotations: findAsked({ pod, old: pod }, new Map()).annotations,
})

const previewAdvice = (evaluation: Evaluation): Effect => ({
  ...findFaults(evaluation),
  change: [...evaluation.defaults.values]
    .map(([key, text]) => `${key.slice(PREFIX.length)} ${text}`)
    .join(', '),
})

const findFaults = ({ violations }: Evaluation): Pick<Effect, 'kinds' | 'complaints'> => ({
  kinds: new Set(violations.map(({ kind }) => kind)),
  complaints: describeViolations(violations),
})

/** The enforcer limits pods with the mark only. */
function limitsInForce(annotations: Annotations): Limits {
  const { mark, limits } = readAdmitted(annotations)
  return mark === undefined ? {} : limits
}

const formatDifference = (before: Limits, after: Limits): string =>
  DIMENSIONS.flatMap((dimension) => {
    const { own } = DIMENSION_NAMES[dimension]
    const format = ({ [dimension]: limit = 'max' }: Limits): string =>
      limit === 'max' ? 'unlimited' : formatLimit(own, limit)
    const [was, is] = [format(before), format(after)]
    return was === is ? [] : [`${own} ${was} -> ${is}`]
  }).join(', ')
