import { type Admitted, limitsOf } from '../../contract/admitted.ts'
import {
  type BytesPerSecond,
  type Dimension,
  type Iops,
  isMore,
  UNLIMITED,
  type Unlimited,
} from '../../contract/limits.ts'
import { formatProblem, type Problem, quoteValue } from '../../contract/problem.ts'

/** One thing that a pod asks for and may not have. */
export type Violation = InvalidValue | OutOfBounds | WrongScope

interface Stated {
  /** The annotation that states it, by its canonical name. */
  readonly key: string
  /** The older name that the user wrote in its place. */
  readonly alias?: string
}

/** A value that cannot be read. */
export interface InvalidValue extends Stated {
  readonly kind: 'invalid'
  readonly problem: Problem
}

/** A value beyond a bound in one dimension. */
export interface OutOfBounds extends Stated {
  readonly kind: 'above-max' | 'below-min'
  /** As the user wrote it. */
  readonly value: string
  readonly container?: string
  readonly dimension: Dimension
  readonly amount: Iops | BytesPerSecond | Unlimited
  /** As a pod would write it. */
  readonly bound: string
}

/** Each container its own limit, where the rule wants one for all. */
export interface WrongScope extends Stated {
  readonly kind: 'scope'
}

/** The pod as it stood: what was wrong with it, and what limited it all the same. */
export interface Before {
  readonly violations: readonly Violation[]
  readonly admitted: Admitted
}

/** Those that the update which leads from `before` brought in or made worse. */
export function findNewOrWorse(violations: readonly Violation[], before: Before): readonly Violation[] {
  const known = new Map(before.violations.map((violation) => [identify(violation), violation]))
  const unreadable = new Set(before.violations.filter(({ kind }) => kind === 'invalid').map(({ key }) => key))
  return violations.filter((violation) => {
    const old = known.get(identify(violation))
    if (old !== undefined) return isFurther(violation, old)
    return !unreadable.has(violation.key) || !isTighter(violation, before.admitted)
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

/** A key that could not be read said nothing: what stands there now, though above the max, may let through less. */
function isTighter(violation: Violation, before: Admitted): boolean {
  if (violation.kind !== 'above-max') return false
  const { container, dimension, amount } = violation
  const limits = container === undefined ? before.limits : limitsOf(before, container)
  return !isMore(amount, limits[dimension] ?? UNLIMITED)
}

/** More of them tell nobody more. */
const MOST_SENTENCES = 20

/** One sentence each; a value that breaks the same bound in both directions is told once; a last one counts what is left out. */
export function describeViolations(violations: readonly Violation[]): readonly string[] {
  if (violations.length === 0) return []
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
      return formatProblem({ ...violation.problem, field: nameKey(violation) })
    case 'above-max':
      return `${statedIn(violation)} is above the max of ${violation.bound} for ${dimensions}; write ${violation.bound} or less`
    case 'below-min':
      return `${statedIn(violation)} is below the min of ${violation.bound} for ${dimensions}; write ${violation.bound} or more`
    case 'scope':
      return `${nameKey(violation)} "container" would give each container the whole limit, and the rule's scope is pod; remove it or write "pod"`
  }
}

const statedIn = (violation: OutOfBounds): string => `${nameKey(violation)} ${quoteValue(violation.value)}`

/** As the user wrote it. */
const nameKey = ({ key, alias }: Stated): string => (alias === undefined ? key : `${alias} (as ${key})`)
