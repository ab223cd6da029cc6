import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatQuantity, parseQuantity, wholeNumber } from '../../../contract/quantity.ts'

const whole = (text: string): bigint | undefined => {
  const quantity = parseQuantity(text)
  return quantity && wholeNumber(quantity)
}

const SUFFIXES: readonly (readonly [string, bigint])[] = [
  ['', 1n],
  ['k', 10n ** 3n],
  ['M', 10n ** 6n],
  ['G', 10n ** 9n],
  ['T', 10n ** 12n],
  ['P', 10n ** 15n],
  ['E', 10n ** 18n],
  ['Ki', 2n ** 10n],
  ['Mi', 2n ** 20n],
  ['Gi', 2n ** 30n],
  ['Ti', 2n ** 40n],
  ['Pi', 2n ** 50n],
  ['Ei', 2n ** 60n],
]

interface Recorded {
  readonly text: string
  readonly valid: boolean
  readonly whole: string
}

/** Where we differ on purpose: a number has a digit, and no value is capped at 2^63-1. */
const OURS: ReadonlyMap<string, string> = new Map([
  ['.', 'invalid'],
  ['-', 'invalid'],
  ['+', 'invalid'],
  ['12Ei', String(12n * 2n ** 60n)],
  ['100Ei', String(100n * 2n ** 60n)],
  ['999999Pi', String(999_999n * 2n ** 50n)],
  ['999999Ei', String(999_999n * 2n ** 60n)],
])

const recorded = JSON.parse(
  readFileSync('test/fixtures/kubernetes/quantities.json', 'utf8'),
) as readonly Recorded[]

describe('parseQuantity', () => {
  test.each(recorded)('$text: as the Go library reads it', ({ text, valid, whole: theirs }) => {
    const quantity = parseQuantity(text)
    const ours = quantity === undefined ? 'invalid' : String(wholeNumber(quantity) ?? '')
    expect(ours).toBe(OURS.get(text) ?? (valid ? theirs : 'invalid'))
  })

  // The table of apimachinery's TestQuantityParse, as units and the power of ten that divides them.
  test.each([
    ['0', 0n, 0],
    ['0n', 0n, 9],
    ['1Ki', 1024n, 0],
    ['7Mi', 7n * 2n ** 20n, 0],
    ['3Ei', 3n * 2n ** 60n, 0],
    ['5n', 5n, 9],
    ['4u', 4n, 6],
    ['3m', 3n, 3],
    ['50k', 50_000n, 0],
    ['300T', 300n * 10n ** 12n, 0],
    ['1E', 10n ** 18n, 0],
    ['1E-3', 1n, 3],
    ['1E18', 10n ** 18n, 0],
    ['100.035k', 100_035n, 0],
    ['0.0005k', 5n, 1],
    ['0.00500', 500n, 5],
    ['0.5e-2', 5n, 3],
    ['1.3E+6', 1_300_000n, 0],
    ['7.123456M', 7_123_456n, 0],
    ['1.01E', 101n * 10n ** 16n, 0],
    ['3.001n', 3001n, 12],
    ['9223372036854775807Ki', 9_223_372_036_854_775_807n * 1024n, 0],
    ['100.035Ki', 100_035n * 1024n, 3],
    ['0.05Gi', 5n * 2n ** 30n, 2],
    ['.001', 1n, 3],
    ['1.', 1n, 0],
    ['1.G', 10n ** 9n, 0],
    ['-1.5Gi', -15n * 2n ** 30n, 1],
    ['+8k', 8000n, 0],
  ])('%s', (text, units, scale) => {
    expect(parseQuantity(text)).toEqual({ units, scale })
  })

  test.each(['', '1.1.M', '1+1.0M', '0.1mi', '0.1am', 'aoeu', '.5i', '1i', '-3.01i', '-3.01e-', ' 1', '1 '])(
    '%j is none, as in TestQuantityParse',
    (text) => {
      expect(parseQuantity(text)).toBeUndefined()
    },
  )

  test.each(['1\n', '1Mi\n', '\u06611', '１', '0b1', '1e1.5', '1KiB', 'k', 'Mi', '.Mi', 'e3', '1__proto__'])(
    '%j is none',
    (text) => {
      expect(parseQuantity(text)).toBeUndefined()
    },
  )

  test('a text of 64 characters is read, a longer one is not', () => {
    expect(parseQuantity('1'.repeat(64))).toEqual({ units: BigInt('1'.repeat(64)), scale: 0 })
    expect(parseQuantity('1'.repeat(65))).toBeUndefined()
  })

  test.each(['1e129', '1e999', '1e999999999', `1e${'9'.repeat(62)}`, `${'0.'.padEnd(55, '0')}1e999`])(
    '%s is above everything, at once',
    (text) => {
      expect(whole(text)).toBeGreaterThan(2n ** 64n)
    },
  )

  test.each(['1e-999', '1e-999999999', `${'9'.repeat(50)}e-999999`])('%s is a fraction, at once', (text) => {
    expect(parseQuantity(text)).toBeDefined()
    expect(whole(text)).toBeUndefined()
  })

  test('any digits with any suffix are their product', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 70n }),
        fc.constantFrom(...SUFFIXES),
        (n, [suffix, factor]) => {
          expect(whole(`${n}${suffix}`)).toBe(n * factor)
          expect(whole(`-${n}${suffix}`)).toBe(-n * factor)
          expect(whole(`+0${n}.${suffix}`)).toBe(n * factor)
        },
      ),
    )
  })

  test('a point only moves the digits', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        fc.integer({ min: 0, max: 20 }),
        fc.constantFrom(...SUFFIXES),
        (n, places, [suffix, factor]) => {
          const digits = n.toString().padStart(places, '0')
          const text = `${digits.slice(0, digits.length - places)}.${digits.slice(digits.length - places)}`
          const quantity = parseQuantity(`${text}${suffix}`)
          expect(quantity && quantity.units * 10n ** BigInt(places)).toBe(
            n * factor * 10n ** BigInt(quantity?.scale ?? 0),
          )
        },
      ),
    )
  })

  test('no text makes it throw or dawdle', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.\deEKMGikmnu]{0,80}$/)), (text) => {
        const before = performance.now()
        const quantity = parseQuantity(text)
        if (quantity !== undefined) wholeNumber(quantity)
        expect(performance.now() - before).toBeLessThan(100)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('formatQuantity', () => {
  test.each([
    [0n, '0'],
    [7n, '7'],
    [1000n, '1k'],
    [1024n, '1Ki'],
    [1025n, '1025'],
    [52_428_800n, '50Mi'],
    [100_000_000n, '100M'],
    [1_610_612_736n, '1536Mi'],
    [1_024_000n, '1024k'],
    [10_112_000n, '9875Ki'],
    [10n ** 18n, '1E'],
    [2n ** 60n, '1Ei'],
    [-52_428_800n, '-50Mi'],
    [2n ** 53n + 1n, '9007199254740993'],
  ])('%s is %s', (value, text) => {
    expect(formatQuantity(value)).toBe(text)
  })

  test('what it writes reads as the same number, and is never longer than the digits', () => {
    const rounded = fc
      .tuple(fc.bigInt({ min: 0n, max: 2n ** 20n }), fc.constantFrom(...SUFFIXES))
      .map(([n, [, factor]]) => n * factor)
    fc.assert(
      fc.property(fc.oneof(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), rounded), (value) => {
        const text = formatQuantity(value)
        expect(whole(text)).toBe(value)
        expect(text.length).toBeLessThanOrEqual(value.toString().length)
      }),
    )
  })
})
