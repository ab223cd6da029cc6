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
import { findBpsMistake, findIopsMistake, findRangeMistake } from './mistakes.ts'
import { bad, ok, type Result } from './problem.ts'
import { formatQuantity, parseQuantity, wholeNumber } from './quantity.ts'

/** `0` and `max` both say "unlimited"; the older service knew the first, the kernel knows the second. */
const isUnlimited = (text: string): boolean => text === '0' || text === UNLIMITED

/** IO operations per second: a whole number, or `0`/`max` for no cap. `field` is what problems are reported against. */
export function parseIops(text: string, field: string): Result<Iops | Unlimited> {
  if (isUnlimited(text)) return ok(UNLIMITED)
  const value = /^\d{1,64}$/.test(text) ? BigInt(text) : undefined
  const mistake =
    value === undefined ? findIopsMistake(text, field) : findRangeMistake(value, MIN_IOPS, MAX_IOPS)
  return mistake === undefined ? ok(value as Iops) : bad({ field, value: text, ...mistake })
}

/** Bytes per second: a Kubernetes quantity of whole bytes, or `0`/`max` for no cap. */
export function parseBytesPerSecond(text: string, field: string): Result<BytesPerSecond | Unlimited> {
  if (isUnlimited(text)) return ok(UNLIMITED)
  const quantity = parseQuantity(text)
  const value = quantity && wholeNumber(quantity)
  const mistake = value === undefined ? findBpsMistake(text) : findRangeMistake(value, MIN_BPS, MAX_BPS)
  return mistake === undefined ? ok(value as BytesPerSecond) : bad({ field, value: text, ...mistake })
}

export const formatIops = (value: Iops | Unlimited): string => value.toString()

/** Such that parsing gives the same value again: `50Mi`, `100M`, `max`. */
export const formatBytesPerSecond = (value: BytesPerSecond | Unlimited): string =>
  value === UNLIMITED ? UNLIMITED : formatQuantity(value)
