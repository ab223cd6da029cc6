/** The decision on a review, as the AdmissionReview that goes back, and as a record for log and metrics. */
import { isOurKey } from '../../contract/keys.ts'
import { isNothing } from '../policy/changes.ts'
import { type Allowed, decide, type Refused, type Verdict } from '../policy/decide.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { describeViolations } from '../policy/violation.ts'
import { type ApplyPatch, applyPatch, encodePatch } from './patch.ts'
import { type Answer, type DecisionRecord, nameOf, recordOf } from './record.ts'
import { formatResponse } from './response.ts'
import type { Content, Review } from './review.ts'

export interface World extends Rulebook {
  /** The request's namespace; undefined where nobody knows it. */
  readonly namespace: NamespaceInfo | undefined
}

/** A pure function of the review and the world: asked again, it answers the same, dry run or not. */
export function answerReview(review: Review, world: World, apply: ApplyPatch = applyPatch): Answer {
  const { content } = review
  if (content.kind === 'other') return leave(review, 'not-a-pod')
  if (content.kind === 'binding') return answerBinding(review, content.annotations, apply)
  const verdict = decidePod(review, content, world)
  return verdict.allowed ? admit(review, { verdict, content, apply }) : refuse(review, verdict)
}

/** A namespace that nobody knows has opted in to nothing, so far as can be told; that is said where it matters. */
function decidePod({ namespace: name, user }: Review, content: PodContent, world: World): Verdict {
  const { namespace = { name, labels: {} } } = world
  const verdict = decide({ namespace, ...content, isOwn: isOwnUser(user, world) }, world)
  if (world.namespace !== undefined || verdict.aside !== 'not-enforced') return verdict
  const warning = `namespace ${name === '' ? '(none)' : name} is not known here: the pod was let through without limits`
  return { ...verdict, aside: 'unknown-namespace', warnings: [warning, ...verdict.warnings] }
}

export const isOwnUser = (user: string, { self }: Rulebook): boolean => user !== '' && user === self

/** Something of ours broke: pods go on, and the back-fill finds them later. */
export function answerFailure(review: Review, cause: string): Answer {
  const warnings = [`${cause}: the pod was let through without limits`]
  return {
    body: formatResponse(review.uid, { allowed: true, warnings }),
    record: { ...recordOf(review), outcome: 'failed', warnings: 1, reason: cause },
  }
}

const leave = (review: Review, reason: string): Answer => ({
  body: formatResponse(review.uid, { allowed: true }),
  record: { ...recordOf(review), outcome: 'untouched', warnings: 0, reason },
})

function refuse(review: Review, verdict: Refused): Answer {
  const { refusal, warnings, auditAnnotations, violations } = verdict
  const message = `${refusal} (pod ${review.namespace}/${nameOf(review)})`
  return {
    body: formatResponse(review.uid, { allowed: false, message, warnings, auditAnnotations }),
    record: {
      ...recordOf(review, verdict),
      outcome: 'refused',
      violations: describeViolations(violations),
      warnings: warnings.length,
    },
  }
}

type PodContent = Extract<Content, { kind: 'pod' }>

interface Admission {
  readonly verdict: Allowed
  readonly content: PodContent
  readonly apply: ApplyPatch
}

function admit(review: Review, { verdict, content, apply }: Admission): Answer {
  const { warnings, auditAnnotations, changes, aside } = verdict
  const target = { annotations: content.pod.annotations, hasAnnotations: content.hasAnnotations }
  const patch = encodePatch(target, changes, apply)
  if (patch === undefined) return answerFailure(review, 'its own patch did not apply')
  return {
    body: formatResponse(review.uid, { allowed: true, patch, warnings, auditAnnotations }),
    record: {
      ...recordOf(review, verdict),
      outcome: findOutcome(verdict),
      defaulted: verdict.defaulted,
      warnings: warnings.length,
      ...(aside !== undefined && { reason: aside }),
    },
  }
}

function findOutcome({ changes, aside, defaulted }: Allowed): DecisionRecord['outcome'] {
  if (isNothing(changes)) return aside === undefined ? 'allowed' : 'untouched'
  return defaulted.length > 0 ? 'defaulted' : 'changed'
}

/** A Binding may not carry our keys onto a pod past its admission. */
function answerBinding(
  review: Review,
  annotations: Readonly<Record<string, string>>,
  apply: ApplyPatch,
): Answer {
  const remove = Object.keys(annotations).filter(isOurKey)
  const patch = encodePatch({ annotations, hasAnnotations: true }, { set: {}, remove }, apply)
  if (patch === undefined) return answerFailure(review, 'its own patch did not apply')
  const warnings = remove.map((key) => `${key} on a Binding was dropped: limits are set on the pod`)
  return {
    body: formatResponse(review.uid, { allowed: true, patch, warnings }),
    record: {
      ...recordOf(review),
      outcome: remove.length > 0 ? 'changed' : 'untouched',
      warnings: warnings.length,
    },
  }
}
