/** One policy applied to one pod: which rule decides, what it fills in, what it finds wrong. */
import { readAdmitted } from '../../contract/admitted.ts'
import { DIMENSION_NAMES, limitKey, SCOPE_KEY } from '../../contract/keys.ts'
import { DIMENSIONS } from '../../contract/limits.ts'
import { type Asked, findAsked } from './asked.ts'
import { findInvalid, findViolations } from './check.ts'
import { findExemptContainers, NONE_EXEMPT } from './exempt.ts'
import type { LimitRule, Policy, Rule } from './policy.ts'
import { isSelected, type Labels } from './selector.ts'
import type { PodInfo, Subject } from './subject.ts'
import { findNewOrWorse, type Violation } from './violation.ts'

export interface Evaluation {
  readonly policy: string
  /** Absent where no rule matches. */
  readonly rule?: Rule
  readonly asked: Asked
  /** What the rule fills in, by annotation key; a user's own keys are never among them. */
  readonly defaults: ReadonlyMap<string, string>
  /** Sorted names. */
  readonly exemptContainers: readonly string[]
  /** How many containers there was too much to compare with the rule's exempt ones: they are limited. */
  readonly skippedContainers: number
  readonly violations: readonly Violation[]
  /** Those of the violations that this request brings in or makes worse: on CREATE all. */
  readonly introduced: readonly Violation[]
}

export function evaluate(policy: Policy, subject: Subject): Evaluation {
  const rule = findRule(policy, subject.pod.labels)
  const base = { policy: policy.name, ...(rule && { rule }) }
  if (rule?.exempt === true) {
    return {
      ...base,
      asked: findAsked(subject, NO_DEFAULTS),
      defaults: NO_DEFAULTS,
      exemptContainers: [],
      skippedContainers: 0,
      violations: [],
      introduced: [],
    }
  }
  const exempt = rule === undefined ? NONE_EXEMPT : findExemptContainers(rule, subject.pod.containers)
  const exemptContainers = exempt.names
  const possible = rule === undefined ? NO_DEFAULTS : findDefaults(rule, exemptContainers)
  const violationsOf = (asked: Asked): readonly Violation[] =>
    rule === undefined ? findInvalid(asked) : findViolations(rule, asked, exemptContainers)
  const asked = findAsked(subject, possible)
  const violations = violationsOf(asked)
  return {
    ...base,
    asked,
    defaults: findMissing(possible, asked),
    exemptContainers,
    skippedContainers: exempt.skipped,
    violations,
    introduced: findIntroduced(violations, subject.old, (old) =>
      violationsOf(findAsked({ pod: old, old }, possible)),
    ),
  }
}

const NO_DEFAULTS: ReadonlyMap<string, string> = new Map()

/** The first rule whose selector matches. */
const findRule = ({ rules }: Policy, labels: Labels): Rule | undefined =>
  rules.find(({ selector }) => isSelected(selector, labels))

/** All that the rule could fill in: limits, and the scope where it is not `pod`. */
function findDefaults(
  { defaults, scope }: LimitRule,
  exemptContainers: readonly string[],
): ReadonlyMap<string, string> {
  const possible = new Map<string, string>()
  for (const { name, text } of defaults) possible.set(limitKey(name), text)
  if (scope === 'container' || exemptContainers.length > 0) possible.set(SCOPE_KEY, 'container')
  return possible
}

/** The key of both directions that also decides what a key of one direction would. */
const BOTH: ReadonlyMap<string, string> = new Map(
  DIMENSIONS.map((dimension) => DIMENSION_NAMES[dimension]).map(({ own, both }) => [
    limitKey(own),
    limitKey(both),
  ]),
)

/** Those that the user has not decided; a value that cannot be read is a decision too. */
function findMissing(
  possible: ReadonlyMap<string, string>,
  { annotations }: Asked,
): ReadonlyMap<string, string> {
  const missing = new Map<string, string>()
  for (const [key, text] of possible)
    if (annotations[key] === undefined && annotations[BOTH.get(key) ?? key] === undefined)
      missing.set(key, text)
  return missing
}

/** The ratchet: held to today's rule, what was as bad before is not this request's doing. */
function findIntroduced(
  violations: readonly Violation[],
  old: PodInfo | undefined,
  violationsOf: (old: PodInfo) => readonly Violation[],
): readonly Violation[] {
  if (old === undefined || violations.length === 0) return violations
  return findNewOrWorse(violations, {
    violations: violationsOf(old),
    admitted: readAdmitted(old.annotations),
  })
}
