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

export interface InvalidValue extends Stated {
  readonly kind: 'invalid'
  readonly problem: Problem
}

/** A value beyond a bound in one dimension. */
export interface OutOfBounds extends Stated {
  readonly kind: 'above-max' | 'below-min'
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

interface Stated {
  /** The annotation that states it. */
  readonly key: string
  /** As the user wrote it. */
  readonly value: string
}

/** True where the update that leads from `before` brought the violation in or made it worse. */
export const isNewOrWorse = (violation: Violation, before: readonly Violation[]): boolean =>
  !before.some((old) => isNoWorse(violation, old))

function isNoWorse(now: Violation, before: Violation): boolean {
  if (isOutOfBounds(now)) return isOutOfBounds(before) && isNoFurther(now, before)
  return now.kind === before.kind && now.key === before.key && now.value === before.value
}

const isOutOfBounds = (violation: Violation): violation is OutOfBounds => 'dimension' in violation

function isNoFurther(now: OutOfBounds, before: OutOfBounds): boolean {
  if (now.kind !== before.kind || now.container !== before.container || now.dimension !== before.dimension)
    return false
  return now.kind === 'above-max' ? !isMore(now.amount, before.amount) : !isMore(before.amount, now.amount)
}

/** One sentence each; a value that breaks the same bound in both directions is told once. */
export function describeViolations(violations: readonly Violation[]): readonly string[] {
  const sentences = new Map<string, { readonly violation: Violation; readonly dimensions: Dimension[] }>()
  for (const violation of violations) {
    const dimension = isOutOfBounds(violation) ? [violation.dimension] : []
    const bound = isOutOfBounds(violation) ? violation.bound : ''
    const same = sentences.get(`${violation.kind} ${violation.key} ${bound}`)
    if (same === undefined)
      sentences.set(`${violation.kind} ${violation.key} ${bound}`, { violation, dimensions: dimension })
    else same.dimensions.push(...dimension)
  }
  return [...sentences.values()].map(({ violation, dimensions }) =>
    describe(violation, dimensions.join(' and ')),
  )
}

function describe(violation: Violation, dimensions: string): string {
  const stated = `${violation.key} ${quoteValue(violation.value)}`
  switch (violation.kind) {
    case 'invalid':
      return formatProblem(violation.problem)
    case 'above-max':
      return `${stated} is above the max of ${violation.bound} for ${dimensions}; write ${violation.bound} or less`
    case 'below-min':
      return `${stated} is below the min of ${violation.bound} for ${dimensions}; write ${violation.bound} or more`
    case 'scope':
      return `${stated} would give each container the whole limit, and the rule's scope is pod; remove it or write "pod"`
  }
}
