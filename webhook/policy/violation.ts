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

/** True where the update that leads from `before` brought the violation in or made it worse. */
export const isNewOrWorse = (violation: Violation, before: readonly Violation[]): boolean =>
  !before.some((old) => isNoWorse(violation, old))

function isNoWorse(now: Violation, before: Violation): boolean {
  if (isOutOfBounds(now)) return isOutOfBounds(before) && isNoFurther(now, before)
  if (now.kind === 'scope') return before.kind === 'scope'
  return before.kind === 'invalid' && before.key === now.key && before.problem.value === now.problem.value
}

const isOutOfBounds = (violation: Violation): violation is OutOfBounds => 'dimension' in violation

const isNoFurther = (now: OutOfBounds, before: OutOfBounds): boolean =>
  now.kind === before.kind &&
  now.container === before.container &&
  now.dimension === before.dimension &&
  !(now.kind === 'above-max' ? isMore(now.amount, before.amount) : isMore(before.amount, now.amount))

/** One sentence each; a value that breaks the same bound in both directions is told once. */
export function describeViolations(violations: readonly Violation[]): readonly string[] {
  const groups = Map.groupBy(violations, (violation) => describe(violation, ''))
  return [...groups.values()].flatMap((alike) => {
    const dimensions = alike.filter(isOutOfBounds).map(({ dimension }) => dimension)
    return alike.slice(0, 1).map((violation) => describe(violation, dimensions.join(' and ')))
  })
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
