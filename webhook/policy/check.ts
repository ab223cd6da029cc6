/** What a user asks for, held to a rule's bounds. */
import {
  CONTAINER_PREFIX,
  DIMENSION_NAMES,
  type LimitName,
  limitKey,
  SCOPE_KEY,
} from '../../contract/keys.ts'
import { type BytesPerSecond, DIMENSIONS, type Dimension, type Iops, isMore } from '../../contract/limits.ts'
import { formatLimit, type KeyedLimits } from '../../contract/overrides.ts'
import { type Asked, findAlias } from './asked.ts'
import type { LimitRule } from './policy.ts'
import type { InvalidValue, OutOfBounds, Violation } from './violation.ts'

/** Everything wrong, invalid values first. */
export function findViolations(
  rule: LimitRule,
  asked: Asked,
  exemptContainers: readonly string[],
): readonly Violation[] {
  // Most pods ask for nothing.
  if (Object.keys(asked.annotations).length === 0) return []
  const violations: Violation[] = [...findInvalid(asked), ...findOutOfBounds(rule, asked)]
  if (isScopeWrong(rule, asked, exemptContainers)) violations.push({ kind: 'scope', key: SCOPE_KEY })
  return violations
}

export const findInvalid = (asked: Asked): readonly InvalidValue[] =>
  asked.problems.map((problem) => ({ kind: 'invalid', ...nameKey(asked, problem.field), problem }))

function nameKey(asked: Asked, key: string): Pick<Violation, 'key' | 'alias'> {
  const alias = findAlias(asked, key)
  return { key, ...(alias !== undefined && { alias }) }
}

/** Only a rule that says `scope: pod` itself holds pods to it; exempt containers imply `container` anyway. */
const isScopeWrong = (rule: LimitRule, asked: Asked, exemptContainers: readonly string[]): boolean =>
  rule.scope === 'pod' && asked.scope === 'container' && exemptContainers.length === 0

/** Of the pod, and of its containers by their overrides. */
function findOutOfBounds(rule: LimitRule, asked: Asked): readonly OutOfBounds[] {
  const { pod, containers, annotations } = asked
  const common = findBeyond(rule, pod, (name) => ({
    ...nameKey(asked, limitKey(name)),
    value: String(annotations[limitKey(name)]),
  }))
  if (containers.size === 0) return common
  const overrides = [...containers].flatMap(([container, keyed]) =>
    findBeyond(rule, keyed, (name, amount) => ({
      container,
      key: `${CONTAINER_PREFIX}${container}`,
      value: `${name}=${formatLimit(name, amount)}`,
    })),
  )
  return [...common, ...overrides]
}

type Amount = OutOfBounds['amount']

/** Where a value was said. */
type Place = Pick<OutOfBounds, 'key' | 'alias' | 'value' | 'container'>

/** Only of what is out of bounds is it asked where it was said. */
function findBeyond(
  rule: LimitRule,
  keyed: KeyedLimits,
  placeOf: (name: LimitName, amount: Amount) => Place,
): readonly OutOfBounds[] {
  const beyond: OutOfBounds[] = []
  for (const dimension of DIMENSIONS) {
    const { own, both } = DIMENSION_NAMES[dimension]
    const name = keyed[own] === undefined ? both : own
    const amount = keyed[name]
    const broken = amount === undefined ? undefined : findBroken(rule, dimension, amount)
    if (amount !== undefined && broken !== undefined)
      beyond.push({ ...placeOf(name, amount), dimension, amount, ...broken })
  }
  return beyond
}

function findBroken(
  { max, min }: LimitRule,
  dimension: Dimension,
  amount: Amount,
): Pick<OutOfBounds, 'kind' | 'bound'> | undefined {
  const [most, least] = [max[dimension], min[dimension]]
  const format = (bound: Iops | BytesPerSecond): string => formatLimit(DIMENSION_NAMES[dimension].own, bound)
  if (most !== undefined && isMore(amount, most)) return { kind: 'above-max', bound: format(most) }
  if (least !== undefined && isMore(least, amount)) return { kind: 'below-min', bound: format(least) }
  return undefined
}
