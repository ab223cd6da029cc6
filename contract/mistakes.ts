/** What a text that is no limit was meant to be: every message about a single value is composed here. */
import { MAX_IOPS, MIN_IOPS } from './limits.ts'
import type { Problem } from './problem.ts'
import { formatQuantity, parseQuantity, type Quantity, wholeNumber } from './quantity.ts'

export type Mistake = Pick<Problem, 'reason' | 'cure'>

/** A number that the kernel would refuse or misread. */
export function findRangeMistake(value: bigint, min: bigint, max: bigint): Mistake | undefined {
  if (value < 0n) return NEGATIVE
  if (value === 0n) return { reason: 'is zero', cure: 'write "0" or "max" for no limit' }
  if (value < min)
    return { reason: 'is below what the kernel takes', cure: `write ${min} or more, or "max" for no limit` }
  if (value > max)
    return { reason: 'is above what the kernel counts', cure: `write at most ${max}, or "max" for no limit` }
  return undefined
}

/** What is wrong with a text that is not a row of digits, under a key that counts operations. */
export function findIopsMistake(text: string, field: string): Mistake {
  const joined = withoutSpace(text)
  return (
    findCommonMistake(text) ??
    findOperationsUnit(joined) ??
    findData(joined, field) ??
    findSpace(text, /^\d+$/.test(joined)) ??
    findOtherSpelling(joined) ?? {
      reason: 'is not a whole number of operations per second',
      cure: 'write digits only, such as "500", or "max" for no limit',
    }
  )
}

/** What is wrong with a text that is not a quantity of whole bytes, under a key that counts bytes. */
export function findBpsMistake(text: string): Mistake {
  const quantity = parseQuantity(text)
  if (quantity !== undefined) return findFraction(text, quantity)
  const joined = withoutSpace(text)
  return (
    findCommonMistake(text) ??
    findSpace(text, parseQuantity(joined) !== undefined) ??
    findUnit(joined) ?? {
      reason: 'is not a quantity of bytes per second',
      cure: 'write such as "50Mi" (powers of 1024) or "50M" (powers of 1000), or "max" for no limit',
    }
  )
}

const NEGATIVE: Mistake = { reason: 'is negative', cure: 'write 2 or more, or "max" for no limit' }
const LONGEST = 64

function findCommonMistake(text: string): Mistake | undefined {
  if (text === '')
    return { reason: 'is empty', cure: 'write a number, "max" for no limit, or leave the key out' }
  if (text.length > LONGEST)
    return { reason: 'is too long for a number', cure: 'write such as "500", or "max" for no limit' }
  if (/^-[\d.]/.test(text)) return NEGATIVE
  if (/^\s*(?:unlimited|no|none|off|max|infinity|inf)\s*$/i.test(text))
    return { reason: 'is not how "no limit" is written', cure: 'write "max"' }
  return /^\d{1,3}(?:[,_'\s]\d{3})+$/.test(text)
    ? { reason: 'has separators between its digits', cure: `write "${text.replaceAll(/\D/g, '')}"` }
    : undefined
}

const withoutSpace = (text: string): string => text.replaceAll(/\s/g, '')

const findSpace = (text: string, elseGood: boolean): Mistake | undefined =>
  elseGood ? { reason: 'has white space in it', cure: `write "${withoutSpace(text)}"` } : undefined

function findOperationsUnit(text: string): Mistake | undefined {
  const number = /^(\d+)(?:iops|ios?\/s|ops|ops\/s|\/s)$/i.exec(text)?.[1]
  return number === undefined
    ? undefined
    : { reason: 'carries a unit, and this key takes none', cure: `write "${number}"` }
}

/** `10Mi`, `50MB/s`: data under a key of operations; `500k` may be either. */
function findData(text: string, field: string): Mistake | undefined {
  const [, number, suffix = '', unit = ''] =
    /^([\d.]+)((?:[kmgtpe]i?)?)((?:b|bits?|bytes?)?(?:ps|\/s)?)$/i.exec(text) ?? []
  // "m" is a thousandth, and "e" waits for an exponent.
  if (number === undefined || /^[me]?$/.test(suffix + unit)) return undefined
  const elsewhere = `bytes per second go under ${bytesField(field)}`
  const operations = /^[kMG]$/.test(suffix + unit) ? wholeIops(text) : undefined
  return operations === undefined
    ? {
        reason: 'is an amount of data, and this key counts operations',
        cure: `write operations per second in digits, such as "500"; ${elsewhere}`,
      }
    : {
        reason: 'has a suffix, and this key takes plain digits',
        cure: `write "${operations}" if operations are meant; ${elsewhere}`,
      }
}

/** The neighbour that counts bytes: `iops-limit/bps` of `iops-limit/limit`, `….readBPS` of `….readIOPS`. */
function bytesField(field: string): string {
  const neighbour = field.replace(/(?:limit|iops)$/, 'bps').replace(/IOPS$/, 'BPS')
  return neighbour === field ? 'a bps key' : neighbour
}

/** `1e3`, `+500`, `500.0`. */
function findOtherSpelling(text: string): Mistake | undefined {
  const value = wholeIops(text)
  return value === undefined
    ? undefined
    : { reason: 'is not written in plain digits', cure: `write "${value}"` }
}

function wholeIops(text: string): bigint | undefined {
  const quantity = parseQuantity(text)
  const value = quantity && wholeNumber(quantity)
  return value !== undefined && value >= MIN_IOPS && value <= MAX_IOPS ? value : undefined
}

function findFraction(text: string, { units, scale }: Quantity): Mistake {
  const reason = 'is not a whole number of bytes'
  const milli = /^(\d+)m$/.exec(text)?.[1]
  if (milli !== undefined) {
    return {
      reason,
      cure: `write "${milli}M" (powers of 1000) or "${milli}Mi" (powers of 1024): "m" is a thousandth`,
    }
  }
  if (units < 0n) return NEGATIVE
  const whole = units / 10n ** BigInt(scale)
  return { reason, cure: whole < 2n ? 'write such as "50Mi" or "50M"' : `write "${whole}", rounded down` }
}

/** `64K`, `50MB/s`, `400Mbit`: a number, then what is no suffix of Kubernetes. */
function findUnit(text: string): Mistake | undefined {
  const [, number, letter = '', binary = '', unit = ''] =
    /^(\d+(?:\.\d+)?)(?:([kmgtp])(i?))?((?:b|bits?|bytes?)?(?:ps|\/s)?)$/i.exec(text) ?? []
  if (number === undefined) return undefined
  if (/^(?:b|[bB]it)/.test(unit) && !/^byte/.test(unit)) return explainBits(number, letter, binary)
  const reason =
    unit === '' ? 'has a suffix that Kubernetes does not know' : 'carries a unit, and this key takes none'
  const power = `"${number}${suffixOf(letter, 'i')}"`
  if (letter === '') return { reason, cure: `write "${number}"` }
  if (binary !== '') return { reason, cure: `write ${power}` }
  return {
    reason,
    cure: `write ${power} (powers of 1024) or "${number}${suffixOf(letter, '')}" (powers of 1000)`,
  }
}

function explainBits(number: string, letter: string, binary: string): Mistake {
  const bytes = `${number}${suffixOf(letter, binary)}`
  const quantity = parseQuantity(bytes)
  const bits = quantity && wholeNumber(quantity)
  return {
    reason: 'counts bits, and this key counts bytes',
    cure:
      bits === undefined || bits % 8n !== 0n
        ? `divide it by 8, or write "${bytes}" if bytes are meant`
        : `write "${formatQuantity(bits / 8n)}", an eighth of it, or "${bytes}" if bytes are meant`,
  }
}

/** As Kubernetes spells it: `k` and `Ki` differ in case, the others do not. */
function suffixOf(letter: string, binary: string): string {
  if (letter === '') return ''
  if (binary !== '') return `${letter.toUpperCase()}i`
  return letter.toLowerCase() === 'k' ? 'k' : letter.toUpperCase()
}
