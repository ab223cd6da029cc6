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
import { bad, ok, type Problem, type Result } from './problem.ts'
import { formatQuantity, parseQuantity, wholeNumber } from './quantity.ts'

/** `0` and `max` both say "unlimited"; the older service knew the first, the kernel knows the second. */
const isUnlimited = (text: string): boolean => text === '0' || text === UNLIMITED

/** IO operations per second: a whole number, or `0`/`max` for no cap. `field` is what problems are reported against. */
export function parseIops(text: string, field: string): Result<Iops | Unlimited> {
  if (isUnlimited(text)) return ok(UNLIMITED)
  const complain = (reason: string, cure: string): Result<never> => bad({ field, value: text, reason, cure })
  if (!/^\d{1,32}$/.test(text)) return complain(...explainIops(text))
  const value = BigInt(text)
  if (value < MIN_IOPS)
    return complain('is below what the kernel takes', `write ${MIN_IOPS} or more, or "max" for no limit`)
  if (value > MAX_IOPS)
    return complain('is above what the kernel counts', `write at most ${MAX_IOPS}, or "max" for no limit`)
  return ok(value as Iops)
}

/** Bytes per second: a Kubernetes quantity of whole bytes, or `0`/`max` for no cap. */
export function parseBytesPerSecond(text: string, field: string): Result<BytesPerSecond | Unlimited> {
  if (isUnlimited(text)) return ok(UNLIMITED)
  const complain = (reason: string, cure: string): Result<never> => bad({ field, value: text, reason, cure })
  const quantity = parseQuantity(text)
  if (quantity === undefined) return complain(...explainQuantity(text))
  const value = wholeNumber(quantity)
  if (value === undefined) return complain('is not a whole number of bytes', wholeBytesCure(text))
  if (value < MIN_BPS)
    return complain('is below what the kernel takes', `write ${MIN_BPS} or more, or "max" for no limit`)
  if (value > MAX_BPS)
    return complain('is above what the kernel counts', `write at most ${MAX_BPS}, or "max" for no limit`)
  return ok(value as BytesPerSecond)
}

export const formatIops = (value: Iops | Unlimited): string => value.toString()

/** Such that parsing gives the same value again: `50Mi`, `100M`, `max`. */
export const formatBytesPerSecond = (value: BytesPerSecond | Unlimited): string =>
  value === UNLIMITED ? UNLIMITED : formatQuantity(value)

type Explanation = readonly [reason: string, cure: string]

function explainIops(text: string): Explanation {
  const trouble = explainAnyValue(text)
  if (trouble !== undefined) return trouble
  const quantity = parseQuantity(text)
  const value = quantity && wholeNumber(quantity)
  if (
    /[KMGTPE]i?$|[kK]i?[bB]?$|[bB](ps|\/s)?$/.test(text) &&
    /\d/.test(text) &&
    !/^\d+(\.\d+)?k$/.test(text)
  ) {
    return [
      'looks like bytes per second, and this key counts operations',
      'use the bps key for bytes (iops-limit/bps, /read-bps, /write-bps), or write operations per second as a whole number such as "500"',
    ]
  }
  if (value !== undefined) return ['is not written as a plain whole number', `write "${value}"`]
  return [
    'is not a whole number of operations per second',
    'write digits only, such as "500", or "max" for no limit',
  ]
}

function explainQuantity(text: string): Explanation {
  const trouble = explainAnyValue(text)
  if (trouble !== undefined) return trouble
  const [, number = '', tail = ''] = /^([\d.]+)\s*(.*)$/.exec(text) ?? []
  if (number === '')
    return ['is not a quantity of bytes per second', 'write such as "50Mi" or "100M", or "max" for no limit']
  const rate = /^([kKmMgGtT])i?(?:b|bit|bits|bps|bits?\/s|b\/s)$/.exec(tail)
  if (rate?.[1] !== undefined) return explainBits(number, rate[1])
  const bytes = /^([kKmMgGtTpP])(i?)(?:B|BPS|Bps|B\/s|\/s|ps)$/.exec(tail)
  if (bytes?.[1] !== undefined) {
    return [
      'carries a unit, and a quantity has none',
      `write "${number}${suffixFor(bytes[1], bytes[2] ?? '')}"`,
    ]
  }
  if (/^[Kmgtp]i?$/.test(tail)) {
    const [letter = '', binary = ''] = tail
    return ['has a suffix that Kubernetes does not know', suffixCure(number, letter, binary)]
  }
  return [
    'is not a quantity of bytes per second',
    'write such as "50Mi" (1024*1024) or "100M" (1000*1000), or "max" for no limit',
  ]
}

function explainAnyValue(text: string): Explanation | undefined {
  if (text === '') return ['is empty', 'write a number, "max" for no limit, or leave the key out']
  if (text !== text.trim()) return ['has white space around it', `write "${text.trim()}"`]
  if (/^-/.test(text)) return ['is negative', 'write a number above 1, or "max" for no limit']
  if (/^(unlimited|none|max|infinity|inf)$/i.test(text))
    return ['is not how "no limit" is written', 'write "max"']
  return undefined
}

function explainBits(number: string, prefix: string): Explanation {
  const eighth = wholeEighth(number, prefix.toLowerCase())
  return [
    'counts bits, and this key counts bytes',
    eighth === undefined
      ? 'divide by 8 and write bytes, such as "50M"'
      : `write "${eighth}" (an eighth of it) for that many bytes`,
  ]
}

const SI: Readonly<Record<string, string>> = { k: 'k', m: 'M', g: 'G', t: 'T', p: 'P' }

function wholeEighth(number: string, prefix: string): string | undefined {
  const quantity = parseQuantity(`${number}${SI[prefix] ?? ''}`)
  const bits = quantity && wholeNumber(quantity)
  return bits === undefined || bits % 8n !== 0n ? undefined : formatQuantity(bits / 8n)
}

const suffixFor = (letter: string, binary: string): string =>
  binary === '' ? (SI[letter.toLowerCase()] ?? letter) : `${letter.toUpperCase()}i`

function suffixCure(number: string, letter: string, binary: string): string {
  const decimal = suffixFor(letter, '')
  const power = suffixFor(letter, 'i')
  return binary === 'i'
    ? `write "${number}${power}"`
    : `write "${number}${power}" (powers of 1024) or "${number}${decimal}" (powers of 1000)`
}

function wholeBytesCure(text: string): string {
  const milli = /^(\d+)m$/.exec(text)
  return milli?.[1] === undefined
    ? 'write whole bytes per second, such as "50Mi"'
    : `"m" is a thousandth: write "${milli[1]}M" (powers of 1000) or "${milli[1]}Mi" (powers of 1024)`
}

/** For collecting: the problems of a result, none when it is good. */
export const problemsOf = (result: Result<unknown>): readonly Problem[] => (result.ok ? [] : result.problems)
