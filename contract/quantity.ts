/**
 * Kubernetes quantities, in full, without loss.
 * Source: k8s.io/apimachinery/pkg/api/resource/quantity.go, whose grammar this follows:
 * `<sign><digits with at most one point><suffix>`, suffix one of `n u m k M G T P E`, `Ki Mi Gi Ti Pi Ei`, or a decimal exponent.
 */

/** A number as `units * 10^-scale`, so that fractions stay exact. */
export interface Quantity {
  readonly units: bigint
  readonly scale: number
}

const GRAMMAR = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/
const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
}
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}

/** Longer texts are no rate of any disk, and the bound keeps hostile input cheap. */
const LONGEST = 64
/** Stands for every larger one: with it, any text as short is already far above, or a fraction far below, every rate. */
const LARGEST_EXPONENT = 2 * LONGEST

/**
 * The quantity's exact value (but for the exponents past {@link LARGEST_EXPONENT}), or undefined where the text is not one.
 * Unlike the original, a sign or point without a digit is none, fractions are not rounded to nano, and no value is capped at 2^63-1.
 */
export function parseQuantity(text: string): Quantity | undefined {
  const found = text.length <= LONGEST ? GRAMMAR.exec(text) : null
  if (found === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0', suffix = ''] = found
  if (whole === '' && fraction === '') return undefined
  const power = Math.max(-LARGEST_EXPONENT, Math.min(LARGEST_EXPONENT, Number(exponent)))
  const digits = BigInt(whole + fraction) * (BINARY[suffix] ?? 1n)
  return scaled(sign === '-' ? -digits : digits, fraction.length - power - (DECIMAL[suffix] ?? 0))
}

/** The value as a whole number, or undefined where it is none (`1.5`, `100m`). */
export function wholeNumber({ units, scale }: Quantity): bigint | undefined {
  const divisor = 10n ** BigInt(scale)
  return units % divisor === 0n ? units / divisor : undefined
}

function scaled(units: bigint, scale: number): Quantity {
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

const SUFFIXES: readonly (readonly [suffix: string, factor: bigint])[] = [
  ...Object.entries(BINARY),
  ...Object.entries(DECIMAL)
    .filter(([, power]) => power > 0)
    .map(([suffix, power]) => [suffix, 10n ** BigInt(power)] as const),
]

/** The shortest exact spelling of a whole number of units, the binary one where two are as short: `50Mi`, `100M`, `1536Mi`. */
export function formatQuantity(value: bigint): string {
  let shortest = value.toString()
  if (value === 0n) return shortest
  for (const [suffix, factor] of SUFFIXES) {
    if (value % factor !== 0n) continue
    const text = `${value / factor}${suffix}`
    // Binary suffixes come first, and no decimal one is as short without being shorter.
    if (text.length < shortest.length) shortest = text
  }
  return shortest
}
