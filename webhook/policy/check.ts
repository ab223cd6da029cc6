/** What a user asks for, held to a rule's bounds. */
import {
  CONTAINER_PREFIX,
  DIMENSION_NAMES,
  type LimitName,
  limitKey,
  SCOPE_KEY,
} from '../../contract/keys.ts'
import {
  type BytesPerSecond,
  DIMENSIONS,
  type Dimension,
  type Iops,
  isMore,
  type Unlimited,
} from '../../contract/limits.ts'
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
  return [
    ...findInvalid(asked),
    ...findOutOfBounds(rule, findStatements(asked)),
    ...(isScopeWrong(rule, asked, exemptContainers) ? [{ kind: 'scope', key: SCOPE_KEY } as const] : []),
  ]
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

/** One value in one dimension, and where it was said. */
interface Statement {
  readonly key: string
  readonly alias?: string
  readonly value: string
  readonly container?: string
  readonly dimension: Dimension
  readonly amount: Iops | BytesPerSecond | Unlimited
}

function findStatements(asked: Asked): readonly Statement[] {
  const { pod, containers, annotations } = asked
  const common = statementsOf(pod, (name) => ({
    ...nameKey(asked, limitKey(name)),
    value: String(annotations[limitKey(name)]),
  }))
  const overrides = [...containers].flatMap(([container, keyed]) =>
    statementsOf(keyed, (name, amount) => ({
      container,
      key: `${CONTAINER_PREFIX}${container}`,
      value: `${name}=${formatLimit(name, amount)}`,
    })),
  )
  return [...common, ...overrides]
}

type Amount = Statement['amount']

function statementsOf(
  keyed: KeyedLimits,
  placeOf: (name: LimitName, amount: Amount) => Pick<Statement, 'key' | 'alias' | 'value' | 'container'>,
): readonly Statement[] {
  return DIMENSIONS.flatMap((dimension) => {
    const { own, both } = DIMENSION_NAMES[dimension]
    const name = keyed[own] === undefined ? both : own
    const amount = keyed[name]
    return amount === undefined ? [] : [{ ...placeOf(name, amount), dimension, amount }]
  })
}

const findOutOfBounds = (rule: LimitRule, statements: readonly Statement[]): readonly OutOfBounds[] =>
  statements.flatMap((statement) => findBroken(rule, statement) ?? [])

function findBroken({ max, min }: LimitRule, statement: Statement): OutOfBounds | undefined {
  const { dimension, amount } = statement
  const [most, least] = [max[dimension], min[dimension]]
  const format = (bound: Iops | BytesPerSecond): string => formatLimit(DIMENSION_NAMES[dimension].own, bound)
  if (most !== undefined && isMore(amount, most))
    return { ...statement, kind: 'above-max', bound: format(most) }
  if (least !== undefined && isMore(least, amount))
    return { ...statement, kind: 'below-min', bound: format(least) }
  return undefined
}
