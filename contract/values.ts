import {
  type BytesPerSecond,
  type Iops,
  MAX_BPS,
  MAX_IOPS,
  MIN_BPS,
  MIN_IOPS,
  UNLIMITED,
  type Unlimited,
} from './limits.ts'
import { createMemory } from './memory.ts'
import { findBpsMistake, findIopsMistake, findRangeMistake } from './mistakes.ts'
import { bad, ok, type Result } from './problem.ts'
import { formatQuantity, parseQuantity, wholeNumber } from './quantity.ts'

/** `0` and `max` both say "unlimited"; the older service knew the first, the kernel knows the second. */
const isUnlimited = (text: string): boolean => text === '0' || text === UNLIMITED

/** IO operations per second: a whole number, or `0`/`max` for no cap. `field` is what problems are reported against. */
export function parseIops(text: string, field: string): Result<Iops | Unlimited> {
  if (isUnlimited(text)) return ok(UNLIMITED)
  const known = ALL_IOPS.recall(text)
  if (known !== undefined) return known
  const value = /^\d{1,64}$/.test(text) ? BigInt(text) : undefined
  const mistake =
    value === undefined ? findIopsMistake(text, field) : findRangeMistake(value, MIN_IOPS, MAX_IOPS)
  return mistake === undefined
    ? ALL_IOPS.keep(text, ok(value as Iops))
    : bad({ field, value: text, ...mistake })
}

/** Bytes per second: a Kubernetes quantity of whole bytes, or `0`/`max` for no cap. */
export function parseBytesPerSecond(text: string, field: string): Result<BytesPerSecond | Unlimited> {
  if (isUnlimited(text)) return ok(UNLIMITED)
  const known = ALL_BPS.recall(text)
  if (known !== undefined) return known
  const quantity = parseQuantity(text)
  const value = quantity && wholeNumber(quantity)
  const mistake = value === undefined ? findBpsMistake(text) : findRangeMistake(value, MIN_BPS, MAX_BPS)
  return mistake === undefined
    ? ALL_BPS.keep(text, ok(value as BytesPerSecond))
    : bad({ field, value: text, ...mistake })
}

/** Values that were good: few are written, and by many pods. */
const BOUNDS = { most: 512, longest: 64 }
const ALL_IOPS = createMemory<Result<Iops | Unlimited>>(BOUNDS)
const ALL_BPS = createMemory<Result<BytesPerSecond | Unlimited>>(BOUNDS)

export const formatIops = (value: Iops | Unlimited): string => value.toString()

/** Such that parsing gives the same value again: `50Mi`, `100M`, `max`. */
export const formatBytesPerSecond = (value: BytesPerSecond | Unlimited): string =>
  value === UNLIMITED ? UNLIMITED : formatQuantity(value)
