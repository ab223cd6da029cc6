/** The decision on a review, as the AdmissionReview that goes back, and as a record for log and metrics. */
import { isOurKey } from '../../contract/keys.ts'
import { type Changes, isNothing } from '../policy/changes.ts'
import { type Allowed, decide, type Refused } from '../policy/decide.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { describeViolations } from '../policy/violation.ts'
import { type ApplyPatch, applyPatch, formatPatch, isApplicable, type Operation } from './patch.ts'
import { type AdmissionReviewResponse, formatResponse } from './response.ts'
import type { Content, Review } from './review.ts'
import { cut } from './sentence.ts'

export interface Answer {
  readonly body: AdmissionReviewResponse
  readonly record: DecisionRecord
}

/** One decision for the log line and the metrics. */
export interface DecisionRecord {
  readonly uid: string
  readonly operation: string
  readonly resource: string
  readonly namespace: string
  /** `web-*` where the API server has yet to make the name. */
  readonly name: string
  readonly dryRun: boolean
  /** `failed`: something of ours broke, and the pod was let through. */
  readonly outcome: 'untouched' | 'allowed' | 'defaulted' | 'refused' | 'failed'
  readonly policy?: string
  readonly rule?: string
  /** Names of the keys filled in. */
  readonly defaulted: readonly string[]
  /** What the pod was refused for, a sentence each. */
  readonly violations: readonly string[]
  readonly warnings: number
  /** Why nothing was decided, or what failed. */
  readonly reason?: string
}

export interface World extends Rulebook {
  /** The request's namespace; undefined where nobody knows it. */
  readonly namespace: NamespaceInfo | undefined
}

/** A pure function of the review and the world: asked again, it answers the same, dry run or not. */
export function answerReview(review: Review, world: World, apply: ApplyPatch = applyPatch): Answer {
  const { content } = review
  if (content.kind === 'other') return leave(review, 'not-a-pod')
  const { namespace } = world
  if (namespace === undefined) return leave(review, 'unknown-namespace', [warnUnknownNamespace(review)])
  if (content.kind === 'binding') return answerBinding(review, content.annotations, apply)
  const verdict = decide({ namespace, ...content }, world)
  return verdict.allowed ? admit(review, { verdict, content, apply }) : refuse(review, verdict)
}

const warnUnknownNamespace = ({ namespace }: Review): string =>
  `namespace ${namespace === '' ? '(none)' : namespace} is not known here: the pod was let through as it is`

/** Something of ours broke: pods go on, and the back-fill finds them later. */
export function answerFailure(review: Review, cause: string): Answer {
  const warnings = [`${cause}: the pod was let through without limits`]
  return {
    body: formatResponse(review.uid, { allowed: true, warnings }),
    record: { ...recordOf(review), outcome: 'failed', warnings: 1, reason: cause },
  }
}

function leave(review: Review, reason: string, warnings: readonly string[] = []): Answer {
  return {
    body: formatResponse(review.uid, { allowed: true, warnings }),
    record: { ...recordOf(review), outcome: 'untouched', warnings: warnings.length, reason },
  }
}

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

interface Admission {
  readonly verdict: Allowed
  readonly content: Extract<Content, { kind: 'pod' }>
  readonly apply: ApplyPatch
}

function admit(review: Review, { verdict, content, apply }: Admission): Answer {
  const { warnings, auditAnnotations, changes, aside } = verdict
  const patch = patchFor(
    { annotations: content.pod.annotations, hasAnnotations: content.hasAnnotations },
    changes,
    apply,
  )
  if (patch === undefined) return answerFailure(review, 'its own patch did not apply')
  const outcome = isNothing(changes) ? (aside === undefined ? 'allowed' : 'untouched') : 'defaulted'
  return {
    body: formatResponse(review.uid, { allowed: true, patch, warnings, auditAnnotations }),
    record: {
      ...recordOf(review, verdict),
      outcome,
      defaulted: verdict.defaulted,
      warnings: warnings.length,
      ...(aside !== undefined && { reason: aside }),
    },
  }
}

/** Undefined where the patch does not apply. */
function patchFor(
  target: { readonly annotations: Readonly<Record<string, string>>; readonly hasAnnotations: boolean },
  changes: Changes,
  apply: ApplyPatch,
): readonly Operation[] | undefined {
  const patch = formatPatch(changes, target.hasAnnotations)
  return patch.length === 0 || isApplicable(patch, target, changes, apply) ? patch : undefined
}

/** A Binding may not carry our keys onto a pod past its admission. */
function answerBinding(
  review: Review,
  annotations: Readonly<Record<string, string>>,
  apply: ApplyPatch,
): Answer {
  const remove = Object.keys(annotations).filter(isOurKey)
  const patch = patchFor({ annotations, hasAnnotations: true }, { set: {}, remove }, apply)
  if (patch === undefined) return answerFailure(review, 'its own patch did not apply')
  const warnings = remove.map((key) => `${key} on a Binding was dropped: limits are set on the pod`)
  return {
    body: formatResponse(review.uid, { allowed: true, patch, warnings }),
    record: {
      ...recordOf(review),
      outcome: remove.length > 0 ? 'defaulted' : 'untouched',
      warnings: warnings.length,
    },
  }
}

/** Admission comes before the API server's validation: a name may have any length. */
const nameOf = ({ name, generateName }: Review): string =>
  cut(name === '' && generateName !== '' ? `${generateName}*` : name, LONGEST_NAME)

const LONGEST_NAME = 253

type Decider = Pick<Allowed, 'policy' | 'rule'>

function recordOf(
  review: Review,
  { policy, rule }: Decider = {},
): Omit<DecisionRecord, 'outcome' | 'warnings' | 'reason'> {
  const { uid, operation, resource, namespace, dryRun } = review
  const decider = { ...(policy !== undefined && { policy }), ...(rule !== undefined && { rule }) }
  return {
    uid,
    operation,
    resource,
    namespace,
    name: nameOf(review),
    dryRun,
    ...decider,
    defaulted: [],
    violations: [],
  }
}
