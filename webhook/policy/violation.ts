import {
  type BytesPerSecond,
  type Dimension,
  type Iops,
  isMore,
  type Unlimited,
} from '../../contract/limits.ts'
import { formatProblem, type Problem, quoteValue } from '../../contract/problem.ts'

/** One thing that a pod asks for and may not have. */
export type Violation = InvalidValue | OutOfBounds | WrongScope

/** A value that cannot be read. */
export interface InvalidValue {
  readonly kind: 'invalid'
  /** The annotation that states it. */
  readonly key: string
  readonly problem: Problem
}

/** A value beyond a bound in one dimension. */
export interface OutOfBounds {
  readonly kind: 'above-max' | 'below-min'
  readonly key: string
  /** As the user wrote it. */
  readonly value: string
  readonly container?: string
  readonly dimension: Dimension
  readonly amount: Iops | BytesPerSecond | Unlimited
  /** As a pod would write it. */
  readonly bound: string
}

/** Each container its own limit, where the rule wants one for all. */
export interface WrongScope {
  readonly kind: 'scope'
  readonly key: string
}

/** Those that the update which leads from `before` brought in or made worse. */
export function findNewOrWorse(
  violations: readonly Violation[],
  before: readonly Violation[],
): readonly Violation[] {
  const known = new Map(before.map((violation) => [identify(violation), violation]))
  return violations.filter((violation) => {
    const old = known.get(identify(violation))
    return old === undefined || isFurther(violation, old)
  })
}

/** The same thing, whichever key states it; what cannot be read is the same only to the letter. */
function identify(violation: Violation): string {
  if (isOutOfBounds(violation))
    return JSON.stringify([violation.kind, violation.container, violation.dimension])
  return violation.kind === 'scope' ? violation.kind : JSON.stringify([violation.key, violation.problem])
}

const isOutOfBounds = (violation: Violation): violation is OutOfBounds => 'dimension' in violation

function isFurther(now: Violation, before: Violation): boolean {
  if (!isOutOfBounds(now) || !isOutOfBounds(before)) return false
  return now.kind === 'above-max' ? isMore(now.amount, before.amount) : isMore(before.amount, now.amount)
}

/** More of them tell nobody more. */
const MOST_SENTENCES = 20

/** One sentence each; a value that breaks the same bound in both directions is told once; a last one counts what is left out. */
export function describeViolations(violations: readonly Violation[]): readonly string[] {
  const groups = [...Map.groupBy(violations, (violation) => describe(violation, '')).values()]
  const sentences = groups.slice(0, MOST_SENTENCES).flatMap((alike) => {
    const dimensions = alike.filter(isOutOfBounds).map(({ dimension }) => dimension)
    return alike.slice(0, 1).map((violation) => describe(violation, dimensions.join(' and ')))
  })
  const left = groups.length - sentences.length
  return left > 0 ? [...sentences, `and ${left} more`] : sentences
}

function describe(violation: Violation, dimensions: string): string {
  switch (violation.kind) {
    case 'invalid':
      return formatProblem(violation.problem)
    case 'above-max':
      return `${statedIn(violation)} is above the max of ${violation.bound} for ${dimensions}; write ${violation.bound} or less`
    case 'below-min':
      return `${statedIn(violation)} is below the min of ${violation.bound} for ${dimensions}; write ${violation.bound} or more`
    case 'scope':
      return `${violation.key} "container" would give each container the whole limit, and the rule's scope is pod; remove it or write "pod"`
  }
}

const statedIn = ({ key, value }: OutOfBounds): string => `${key} ${quoteValue(value)}`
