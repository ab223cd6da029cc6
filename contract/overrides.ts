import { isIopsName, LIMIT_NAMES, type LimitName } from './keys.ts'
import type { BytesPerSecond, Iops, Unlimited } from './limits.ts'
import { bad, ok, type Problem, type Result } from './problem.ts'
import { formatBytesPerSecond, formatIops, parseBytesPerSecond, parseIops } from './values.ts'

/** Limits by the key that states them, before `read-iops` beats `limit`. */
export type KeyedLimits = {
  readonly [name in LimitName]?: name extends 'limit' | 'read-iops' | 'write-iops'
    ? Iops | Unlimited
    : BytesPerSecond | Unlimited
}

/** One key's value by the key's own unit. */
export const parseValue = (
  name: LimitName,
  text: string,
  field: string,
): Result<Iops | BytesPerSecond | Unlimited> =>
  isIopsName(name) ? parseIops(text, field) : parseBytesPerSecond(text, field)

/** The same, under its key. */
export function parseLimit(name: LimitName, text: string, field: string): Result<KeyedLimits> {
  const parsed = parseValue(name, text, field)
  return parsed.ok ? ok({ [name]: parsed.value }) : parsed
}

/** All six keys with the largest values take half of it. */
const LONGEST = 512

/** A per-container override, `read-iops=800,write-bps=50Mi`; every problem in it at once. */
export function parseOverride(text: string, field: string): Result<KeyedLimits> {
  if (text.length > LONGEST)
    return bad({ field, value: text, reason: `is longer than ${LONGEST} characters`, cure: EXAMPLE })
  const problems: Problem[] = []
  let limits: KeyedLimits = {}
  for (const part of text.split(',')) {
    const parsed = parsePart(part.trim(), field, limits)
    if (parsed.ok) limits = { ...limits, ...parsed.value }
    else problems.push(...parsed.problems)
  }
  return problems.length > 0 ? bad(...problems) : ok(limits)
}

export function formatOverride(limits: KeyedLimits): string {
  return LIMIT_NAMES.flatMap((name) => {
    const value = limits[name]
    return value === undefined ? [] : [`${name}=${formatLimit(name, value)}`]
  }).join(',')
}

/** One value as its key takes it. */
export const formatLimit = (name: LimitName, value: Iops | BytesPerSecond | Unlimited): string =>
  isIopsName(name)
    ? formatIops(value as Iops | Unlimited)
    : formatBytesPerSecond(value as BytesPerSecond | Unlimited)

const EXAMPLE = 'write such as "read-iops=800,write-bps=50Mi"'

function parsePart(part: string, field: string, before: KeyedLimits): Result<KeyedLimits> {
  const [name = '', value, ...rest] = part.split('=')
  if (value === undefined || rest.length > 0)
    return bad({ field, value: part, reason: 'is not KEY=VALUE', cure: EXAMPLE })
  if (!isLimitName(name)) {
    return bad({
      field,
      value: name,
      reason: 'is not a limit',
      cure: `write one of ${LIMIT_NAMES.join(', ')}`,
    })
  }
  if (before[name] !== undefined)
    return bad({ field, value: part, reason: 'states a key twice', cure: `keep one ${name}` })
  const parsed = parseLimit(name, value, name)
  // The annotation's key is not enough: the value shows which part of it is meant.
  return parsed.ok ? parsed : bad(...parsed.problems.map((problem) => ({ ...problem, field, value: part })))
}

const isLimitName = (name: string): name is LimitName => (LIMIT_NAMES as readonly string[]).includes(name)
