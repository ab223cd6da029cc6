/**
 * The decision on a pod as it will be stored, behind every mutator: held to its bounds once more, and to what admission
 * wrote. Nothing is changed any more, so what does not hold is refused, or told.
 */
import { DEFAULTED_KEY, ENFORCE_LABEL, WRITER_ONLY_KEYS } from '../../contract/keys.ts'
import { quoteValue } from '../../contract/problem.ts'
import { isWriterOnly } from './asked.ts'
import { type Changes, carryOut, isNothing } from './changes.ts'
import { type Aside, decide, type Refused } from './decide.ts'
import { evaluate } from './evaluate.ts'
import { planChanges } from './plan.ts'
import type { Policy } from './policy.ts'
import { findPolicy, type Rulebook } from './rulebook.ts'
import type { PodInfo, Subject } from './subject.ts'
import { describeViolations } from './violation.ts'

export type Final = Held | RefusedFinal

export interface RefusedFinal {
  readonly kind: 'refused'
  readonly policy?: string
  readonly rule?: string
  readonly refusal: string
  /** A sentence each. */
  readonly violations: readonly string[]
}

export interface Held {
  /** `missed`: limits of the policy in force are not on the pod, and nobody took them away: no mutating call came through. */
  readonly kind: 'allowed' | 'missed'
  readonly aside?: Aside
  readonly policy?: string
  readonly rule?: string
}

export function decideFinal(subject: Subject, rulebook: Rulebook): Final {
  const verdict = decide(subject, rulebook)
  if (!verdict.allowed) return toRefusal(verdict)
  const { aside, changes, policy, rule } = verdict
  const decider = { ...(policy !== undefined && { policy }), ...(rule !== undefined && { rule }) }
  if (aside !== undefined && aside !== 'not-enforced') return { kind: 'allowed', aside }
  const claimed = decide(asClaimed(subject), rulebook)
  if (!claimed.allowed) return toRefusal(claimed)
  const { policy: inForce } = findPolicy(rulebook, subject.namespace, ENFORCE_LABEL)
  const missing = inForce === undefined ? changes : planStanding(inForce, subject)
  const tampered = isSeen(subject) ? findTampered(subject, missing) : []
  if (tampered.length > 0) {
    const violations = tampered.map((key) => describeTampering(key, subject.pod, missing))
    return { kind: 'refused', ...decider, violations, refusal: `${violations.join('; ')}; ${CURE}` }
  }
  const held = { ...(aside !== undefined && { aside }), ...decider }
  return { kind: isNothing(missing) ? 'allowed' : 'missed', ...held }
}

/**
 * Every value as if a user had set it. Whether admission wrote it once is no matter any more: nothing takes its place, so it has
 * to be within bounds itself.
 */
const asClaimed = ({ pod, ...subject }: Subject): Subject => ({
  ...subject,
  pod: { ...pod, annotations: carryOut({ set: {}, remove: [DEFAULTED_KEY] }, pod.annotations) },
})

const toRefusal = ({ refusal, violations, policy, rule }: Refused): RefusedFinal => ({
  kind: 'refused',
  refusal,
  violations: describeViolations(violations),
  ...(policy !== undefined && { policy }),
  ...(rule !== undefined && { rule }),
})

/**
 * What the pod lacks, taken at its word about which values are admission's. So a default of yesterday's policy, which came in
 * between the two calls, stands within its bounds and is no tampering.
 */
function planStanding(policy: Policy, { pod, ...subject }: Subject): Changes {
  const standing = { ...pod, edited: new Set<string>() }
  const evaluation = evaluate(policy, { ...subject, pod: standing, old: standing })
  // What the advisor wrote is no value of the pod's: who may have changed it shows by what stood there before.
  return planChanges(evaluation, { ...subject, pod: standing })
}

/** Admission has left its trace on the pod: a pod without any was never seen, and the back-fill finds it. */
const isSeen = ({ pod, old }: Subject): boolean =>
  WRITER_ONLY_KEYS.some((key) => pod.annotations[key] !== undefined || old?.annotations[key] !== undefined)

/** Keys that this request took from admission, or wrote in its stead: on UPDATE what stood so before is not its doing. */
function findTampered({ pod, old }: Subject, { set, remove }: Changes): readonly string[] {
  const missing = Object.keys(set).filter((key) => pod.annotations[key] === undefined || isWriterOnly(key))
  const forged = remove.filter(isWriterOnly)
  return [...missing, ...forged].filter(
    (key) => old === undefined || pod.annotations[key] !== old.annotations[key],
  )
}

const CURE =
  'this was changed behind admission: let the webhook that did it leave the keys of iops-limit alone, or try again if the policy has just changed'

function describeTampering(key: string, { annotations }: PodInfo, { set }: Changes): string {
  const [found, expected] = [annotations[key], set[key]]
  const is = found === undefined ? 'is gone' : `is ${quoteValue(found)}`
  return `${key} ${is} where admission wrote ${expected === undefined ? 'nothing' : quoteValue(expected)}`
}
