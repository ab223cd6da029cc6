/** One policy applied to one pod: which rule decides, what it fills in, what it finds wrong. */
import { readAdmitted } from '../../contract/admitted.ts'
import { type Asked, findAsked } from './asked.ts'
import { findInvalid, findViolations } from './check.ts'
import { type Defaults, findDefaults, findOpen, NO_DEFAULTS } from './defaults.ts'
import { findExemptContainers, NONE_EXEMPT } from './exempt.ts'
import type { Policy, Rule } from './policy.ts'
import { findRule } from './rules.ts'
import type { PodInfo, Subject } from './subject.ts'
import { findNewOrWorse, type Violation } from './violation.ts'

export interface Evaluation {
  readonly policy: string
  /** Undefined where none matches. */
  readonly rule: Rule | undefined
  readonly asked: Asked
  /** What the rule fills in; a user's own keys are never among them. */
  readonly defaults: Defaults
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
  if (rule?.exempt === true) {
    return {
      policy: policy.name,
      rule,
      asked: findAsked(subject, NO_DEFAULTS.values),
      defaults: NO_DEFAULTS,
      exemptContainers: [],
      skippedContainers: 0,
      violations: [],
      introduced: [],
    }
  }
  const exempt = rule === undefined ? NONE_EXEMPT : findExemptContainers(rule, subject.pod.containers)
  const exemptContainers = exempt.names
  const possible = rule === undefined ? NO_DEFAULTS : findDefaults(rule, exemptContainers.length > 0)
  const violationsOf = (asked: Asked): readonly Violation[] =>
    rule === undefined ? findInvalid(asked) : findViolations(rule, asked, exemptContainers)
  const asked = findAsked(subject, possible.values)
  const violations = violationsOf(asked)
  return {
    policy: policy.name,
    rule,
    asked,
    defaults: findOpen(possible, asked.annotations),
    exemptContainers,
    skippedContainers: exempt.skipped,
    violations,
    introduced: findIntroduced(violations, subject.old, (old) =>
      violationsOf(findAsked({ pod: old, old }, possible.values)),
    ),
  }
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
