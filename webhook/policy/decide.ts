/** The decision: all that policy says about one request, as data. Nothing is asked of clock, network or chance. */
import { ALIAS_KEYS } from '../../contract/aliases.ts'
import type { Annotations } from '../../contract/annotations.ts'
import { AUDIT_LABEL, ENFORCE_LABEL, isOurKey, WARN_LABEL } from '../../contract/keys.ts'
import { findAsked, isWriterOnly } from './asked.ts'
import { type Changes, carryOut } from './changes.ts'
import { type Evaluation, evaluate } from './evaluate.ts'
import { findForged, planChanges, planStripping } from './plan.ts'
import { findPolicy, type Rulebook } from './rulebook.ts'
import { isMirrorPod, type PodInfo, type Subject } from './subject.ts'
import { describeViolations, type Violation } from './violation.ts'
import * as warn from './warnings.ts'

/** Why policy had nothing to say. */
export type Aside = 'deleting' | 'mirror-pod' | 'unchanged' | 'not-enforced' | 'unknown-namespace'

export type Verdict = Allowed | Refused

export interface Allowed extends Decided {
  readonly allowed: true
  readonly refusal?: never
}

export interface Refused extends Decided {
  readonly allowed: false
  /** All that is wrong, as one sentence. */
  readonly refusal: string
}

interface Decided {
  readonly aside?: Aside
  /** The enforced policy, and the rule in it that decided; no rule where none matches. */
  readonly policy?: string
  readonly rule?: string | undefined
  readonly changes: Changes
  /** Names of the keys filled in: `read-iops`. */
  readonly defaulted: readonly string[]
  /** What the pod is refused for. */
  readonly violations: readonly Violation[]
  /** The most important first. */
  readonly warnings: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
}

const NOTHING = {
  allowed: true,
  changes: { set: {}, remove: [] },
  defaulted: [],
  violations: [],
  warnings: [],
  auditAnnotations: {},
} as const

export function decide(subject: Subject, rulebook: Rulebook): Verdict {
  const aside = findAside(subject)
  // A pod that is ending always passes, but a long grace period is no way to the keys of admission.
  if (aside === 'deleting') return { ...NOTHING, aside, changes: planStripping(subject) }
  if (aside !== undefined) return { ...NOTHING, aside }
  const found = findPolicy(rulebook, subject.namespace, ENFORCE_LABEL)
  const evaluation = found.policy && evaluate(found.policy, subject)
  const own = evaluation === undefined ? leave(subject) : enforce(evaluation, subject)
  const { labels } = subject.namespace
  if (
    !Object.hasOwn(labels, WARN_LABEL) &&
    !Object.hasOwn(labels, AUDIT_LABEL) &&
    found.warnings.length === 0
  )
    return own
  const annotations = evaluation?.asked.annotations ?? findWritten(subject, own.changes)
  const advice = adviseOn(asNew(subject, annotations), rulebook, found.policy?.name)
  return {
    ...own,
    warnings: [...found.warnings, ...own.warnings, ...advice.warnings],
    auditAnnotations: {
      ...own.auditAnnotations,
      ...advice.auditAnnotations,
      ...(found.unknown && { error: found.warnings.join('; ') }),
    },
  }
}

/** Where no policy is in force: what a user wrote, aliases too, once the keys of admission are out of it. */
function findWritten({ pod, old }: Subject, changes: Changes): Annotations {
  const stripped = { ...pod, annotations: carryOut(changes, pod.annotations) }
  const { written } = findAsked({ pod: stripped, ...(old && { old }) }, new Map())
  return Object.fromEntries(Object.entries(written).filter(([key]) => !isWriterOnly(key)))
}

/** What one policy fills in is nothing that another should judge. */
const asNew = ({ namespace, pod }: Subject, annotations: Annotations): Subject => ({
  namespace,
  pod: { ...pod, annotations },
})

/** A deletionTimestamp on CREATE is forged: the API server clears it. Nor does a pod become a mirror by an update. */
function findAside({ pod, old }: Subject): Aside | undefined {
  if (old === undefined) return isMirrorPod(pod) ? 'mirror-pod' : undefined
  if (pod.deleting || old.deleting) return 'deleting'
  if (isMirrorPod(pod) && isMirrorPod(old)) return 'mirror-pod'
  return isAlike(pod, old) ? 'unchanged' : undefined
}

/** Nothing that a decision looks at has changed. */
export const isAlike = (pod: PodInfo, old: PodInfo): boolean =>
  isEqual(pod.labels, old.labels, () => true) &&
  isEqual(pod.annotations, old.annotations, (key) => isOurKey(key) || ALIAS_KEYS.has(key)) &&
  imagesOf(pod) === imagesOf(old)

const imagesOf = ({ containers }: PodInfo): string =>
  JSON.stringify(containers.map(({ name, image }) => [name, image]))

function isEqual(a: Annotations, b: Annotations, counts: (key: string) => boolean): boolean {
  const isKept = (from: Annotations, to: Annotations): boolean =>
    Object.keys(from).every((key) => !counts(key) || from[key] === to[key])
  return isKept(a, b) && isKept(b, a)
}

/** No policy in force: the limits are the user's affair, and what only admission writes stays out of their reach. */
function leave(subject: Subject): Verdict {
  const changes = planStripping(subject)
  return {
    ...NOTHING,
    aside: 'not-enforced',
    changes,
    warnings: findForged(subject, changes).map(warn.warnForged),
  }
}

function enforce(evaluation: Evaluation, subject: Subject): Verdict {
  const { policy, rule, introduced } = evaluation
  const mark = rule?.mark ?? `${policy}/-`
  if (introduced.length > 0) {
    const refusal = `${warn.nameDecider(evaluation)}: ${describeViolations(introduced).join('; ')}`
    return {
      ...NOTHING,
      policy,
      rule: rule?.name,
      allowed: false,
      violations: introduced,
      refusal,
      auditAnnotations: { policy: mark, violations: refusal },
    }
  }
  const changes = planChanges(evaluation, subject)
  const { names, text } = evaluation.defaults
  return {
    policy,
    rule: rule?.name,
    allowed: true,
    changes,
    defaulted: names,
    violations: [],
    warnings: [
      ...warn.warnKept(evaluation),
      ...findForged(subject, changes).map(warn.warnForged),
      ...warnOddities(evaluation, subject),
    ],
    auditAnnotations: text === '' ? { policy: mark } : { policy: mark, defaulted: text },
  }
}

const warnOddities = (evaluation: Evaluation, subject: Subject): readonly string[] =>
  evaluation.rule?.exempt === true
    ? warn.warnExemptRule(evaluation)
    : [
        ...warn.warnIneffective(evaluation, subject),
        ...warn.warnUnknownKeys(evaluation.asked),
        ...warn.warnAliases(evaluation.asked),
      ]

/** What the policies of the `warn` and `audit` labels would do; silent where the enforced policy says the same. */
function adviseOn(
  subject: Subject,
  rulebook: Rulebook,
  enforced: string | undefined,
): Pick<Verdict, 'warnings' | 'auditAnnotations'> {
  const warned = findPolicy(rulebook, subject.namespace, WARN_LABEL)
  const audited = findPolicy(rulebook, subject.namespace, AUDIT_LABEL)
  const warning =
    warned.policy && warned.policy.name !== enforced ? evaluate(warned.policy, subject) : undefined
  const audit =
    audited.policy && audited.policy.name !== enforced ? evaluate(audited.policy, subject) : undefined
  return {
    warnings: [
      ...warned.warnings,
      ...(warning ? warn.warnWouldBe(warning) : []),
      // Where a policy is enforced, they have been told of under it.
      ...(warning && enforced === undefined ? warnOddKeys(warning) : []),
    ],
    auditAnnotations: {
      ...(audit && auditEvaluation(audit)),
      ...(audited.unknown && { 'audit-error': audited.warnings.join('; ') }),
    },
  }
}

const warnOddKeys = ({ rule, asked }: Evaluation): readonly string[] =>
  rule?.exempt === true ? [] : [...warn.warnUnknownKeys(asked), ...warn.warnWouldRewrite(asked)]

function auditEvaluation(evaluation: Evaluation): Readonly<Record<string, string>> {
  const violations = describeViolations(evaluation.violations).join('; ')
  const { text } = evaluation.defaults
  return {
    'audit-policy': evaluation.rule?.mark ?? `${evaluation.policy}/-`,
    ...(violations !== '' && { 'audit-violations': violations }),
    ...(text !== '' && { 'audit-defaults': text }),
  }
}
