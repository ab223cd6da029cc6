/**
 * The decision on a pod that stands, whatever admission missed: created while the webhook was away, before its namespace was
 * labelled, under yesterday's policy. The same engine as at admission, held to the same annotations.
 */
import { ENFORCE_LABEL, POLICY_KEY, WRITER_ONLY_KEYS } from '../../contract/keys.ts'
import { planRelease, readAdapted } from './adapted.ts'
import { listedKeys } from './asked.ts'
import { type Changes, isNothing } from './changes.ts'
import { evaluate } from './evaluate.ts'
import { planChanges } from './plan.ts'
import type { Policy } from './policy.ts'
import { findPolicy, type Rulebook } from './rulebook.ts'
import { isMirrorPod, type PodInfo, type Subject } from './subject.ts'
import { describeViolations } from './violation.ts'
import { nameDecider } from './warnings.ts'

export interface Standing {
  readonly changes: Changes
  /** Values that are out of bounds or cannot be read, as one sentence: they are told, never changed. */
  readonly complaint?: string
  /** A policy should be in force, and the pod does not carry the mark of one that there is: nothing limits it. */
  readonly isUnmarked: boolean
  /** A value cannot be read, and so limits nothing; the changes do not mend it. */
  readonly isUnreadable: boolean
  /** What admission wrote has to go: no policy is in force. */
  readonly isLifting: boolean
}

const CALM = { isUnmarked: false, isUnreadable: false, isLifting: false } as const

/** Undefined for a pod that is left alone: it is being deleted, or is the mirror of a static pod. */
export function decideStanding(
  { namespace, pod }: Pick<Subject, 'namespace' | 'pod'>,
  rulebook: Rulebook,
): Standing | undefined {
  if (pod.deleting || isMirrorPod(pod)) return undefined
  const { policy, unknown } = findPolicy(rulebook, namespace, ENFORCE_LABEL)
  if (policy !== undefined) return judge(policy, { namespace, pod }, rulebook)
  // Whoever deletes a policy by mistake does not lift every limit at once: what stands stays, until the label goes.
  if (unknown) return { ...CALM, changes: NOTHING, isUnmarked: pod.annotations[POLICY_KEY] === undefined }
  const changes = planLifting(pod)
  return { ...CALM, changes, isLifting: !isNothing(changes) }
}

const NOTHING: Changes = { set: {}, remove: [] }

/** As an update that keeps everything a user wrote: nothing is refused, since nothing is brought in. */
function judge(policy: Policy, subject: Subject, { policies }: Rulebook): Standing {
  const { pod } = subject
  const standing = { ...subject, old: pod }
  const evaluation = evaluate(policy, standing)
  const changes = planChanges(evaluation, standing)
  const { violations } = evaluation
  const mark = pod.annotations[POLICY_KEY]
  const isKnown = mark !== undefined && policies.has(mark.split('/', 1).join())
  return {
    ...CALM,
    changes,
    ...(violations.length > 0 && {
      complaint: `${nameDecider(evaluation)}: ${describeViolations(violations).join('; ')}`,
    }),
    isUnmarked: !isKnown && Object.hasOwn(changes.set, POLICY_KEY),
    isUnreadable: violations.some(({ kind }) => kind === 'invalid'),
  }
}

/**
 * No policy is in force: all that admission wrote goes, what is imposed too, and what a user wrote stays or comes back, limiting
 * nothing.
 */
function planLifting(pod: PodInfo): Changes {
  const adapted = readAdapted(pod.annotations)
  const { set, remove } = adapted === undefined ? NOTHING : planRelease(adapted, pod.annotations)
  const ours = new Set([...WRITER_ONLY_KEYS, ...listedKeys(pod), ...remove])
  return { set, remove: Object.keys(pod.annotations).filter((key) => ours.has(key)) }
}
