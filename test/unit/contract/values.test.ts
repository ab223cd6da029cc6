import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BytesPerSecond, type Iops, MAX_BPS, MAX_IOPS } from '../../../contract/limits.ts'
import { formatProblem } from '../../../contract/problem.ts'
import { formatBytesPerSecond, formatIops, parseBytesPerSecond, parseIops } from '../../../contract/values.ts'

const IOPS_KEY = 'iops-limit/read-iops'
const BPS_KEY = 'iops-limit/bps'

const sayIops = (text: string, field = IOPS_KEY): string => say(parseIops(text, field))
const sayBps = (text: string): string => say(parseBytesPerSecond(text, BPS_KEY))
const say = (result: ReturnType<typeof parseIops> | ReturnType<typeof parseBytesPerSecond>): string =>
  result.ok ? `fine: ${result.value}` : result.problems.map(formatProblem).join('\n')

const ABOVE_ONE = 'write 2 or more, or "max" for no limit'
const NO_OPERATIONS =
  'is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit'
const DATA =
  'is an amount of data, and this key counts operations; write operations per second in digits, such as "500"; bytes per second go under iops-limit/read-bps'
const NO_QUANTITY =
  'is not a quantity of bytes per second; write such as "50Mi" (powers of 1024) or "50M" (powers of 1000), or "max" for no limit'
const UNIT = 'carries a unit, and this key takes none'
const NO_SUFFIX = 'has a suffix that Kubernetes does not know'
const BITS = 'counts bits, and this key counts bytes'
const NO_WHOLE = 'is not a whole number of bytes'

describe('parseIops', () => {
  test.each([
    ['0', 'max'],
    ['max', 'max'],
    ['2', 2n],
    ['500', 500n],
    ['007', 7n],
    ['4294967294', 4_294_967_294n],
  ])('%s is %s', (text, value) => {
    expect(parseIops(text, IOPS_KEY)).toEqual({ ok: true, value })
  })

  test.each([
    ['', 'is empty; write a number, "max" for no limit, or leave the key out'],
    ['1', `is below what the kernel takes; ${ABOVE_ONE}`],
    ['00', 'is zero; write "0" or "max" for no limit'],
    ['-1', `is negative; ${ABOVE_ONE}`],
    ['-5Mi', `is negative; ${ABOVE_ONE}`],
    ['4294967295', 'is above what the kernel counts; write at most 4294967294, or "max" for no limit'],
    ['9007199254740993', 'is above what the kernel counts; write at most 4294967294, or "max" for no limit'],
    ['9'.repeat(64), 'is above what the kernel counts; write at most 4294967294, or "max" for no limit'],
    ['MAX', 'is not how "no limit" is written; write "max"'],
    ['unlimited', 'is not how "no limit" is written; write "max"'],
    ['max ', 'is not how "no limit" is written; write "max"'],
    [' 500', 'has white space in it; write "500"'],
    ['500\u00a0', 'has white space in it; write "500"'],
    ['1,000', 'has separators between its digits; write "1000"'],
    ['12 000 000', 'has separators between its digits; write "12000000"'],
    ['1_000', 'has separators between its digits; write "1000"'],
    ['500 IOPS', `${UNIT}; write "500"`],
    ['500iops', `${UNIT}; write "500"`],
    ['500/s', `${UNIT}; write "500"`],
    ['500 io/s', `${UNIT}; write "500"`],
    ['10Mi', DATA],
    ['64K', DATA],
    ['64Ki', DATA],
    ['1E', DATA],
    ['0.5M B', DATA],
    ['50MB', DATA],
    ['50MB/s', DATA],
    ['50 MiB/s', DATA],
    ['400Mbit', DATA],
    ['100Mbps', DATA],
    ['500B', DATA],
    ['10mb', DATA],
    ['10000G', DATA],
    ['1e3', 'is not written in plain digits; write "1000"'],
    ['1E+3', 'is not written in plain digits; write "1000"'],
    ['+500', 'is not written in plain digits; write "500"'],
    ['500.0', 'is not written in plain digits; write "500"'],
    ['5000m', 'is not written in plain digits; write "5"'],
    ['1.5', NO_OPERATIONS],
    ['1.0', NO_OPERATIONS],
    ['100m', NO_OPERATIONS],
    ['1e', NO_OPERATIONS],
    ['1e99', NO_OPERATIONS],
    ['1e999999999', NO_OPERATIONS],
    ['0x10', NO_OPERATIONS],
    ['0x1b', NO_OPERATIONS],
    ['NaN', NO_OPERATIONS],
    ['fast', NO_OPERATIONS],
    ['-', NO_OPERATIONS],
    ['.', NO_OPERATIONS],
    ['1-5', NO_OPERATIONS],
    ['volcano', NO_OPERATIONS],
    ['nothing', NO_OPERATIONS],
    ['a1,000', NO_OPERATIONS],
    ['1,000a', NO_OPERATIONS],
    ['a5iops', NO_OPERATIONS],
    ['5iopsy', NO_OPERATIONS],
    ['x'.repeat(64), NO_OPERATIONS],
    ['+1', NO_OPERATIONS],
    ['+2', 'is not written in plain digits; write "2"'],
    ['+4294967294', 'is not written in plain digits; write "4294967294"'],
    ['+4294967295', NO_OPERATIONS],
    ['7byte', DATA],
  ])('%j %s', (text, complaint) => {
    expect(sayIops(text)).toBe(`${IOPS_KEY}: "${text}" ${complaint}`)
  })

  test.each([
    ['500k', '500000'],
    ['1.5k', '1500'],
    ['10M', '10000000'],
    ['1G', '1000000000'],
    [' 2k', '2000'],
  ])('%s may be operations or bytes: the cure names both', (text, operations) => {
    expect(sayIops(text)).toBe(
      `${IOPS_KEY}: "${text}" has a suffix, and this key takes plain digits; write "${operations}" if operations are meant; bytes per second go under iops-limit/read-bps`,
    )
  })

  test.each(['\u0661\u0662', '\u0967', '５００', '5\u200b00', '٪'])('digits of other scripts: %s', (text) => {
    expect(sayIops(text)).toBe(`${IOPS_KEY}: "${text}" ${NO_OPERATIONS}`)
  })

  test('a text that would fill the screen is cut', () => {
    expect(sayIops('9'.repeat(100_000))).toBe(
      `${IOPS_KEY}: "${'9'.repeat(64)}..." is too long for a number; write such as "500", or "max" for no limit`,
    )
  })

  test.each([
    ['iops-limit/limit', 'iops-limit/bps'],
    ['iops-limit/read-iops', 'iops-limit/read-bps'],
    ['iops-limit/write-iops', 'iops-limit/write-bps'],
    ['limit', 'bps'],
    ['spec.rules[0].max.readIOPS', 'spec.rules[0].max.readBPS'],
    ['spec.rules[0].default.iops', 'spec.rules[0].default.bps'],
    ['somewhere', 'a bps key'],
  ])('bytes under %s belong under %s', (field, neighbour) => {
    expect(sayIops('10Mi', field)).toBe(
      `${field}: "10Mi" is an amount of data, and this key counts operations; write operations per second in digits, such as "500"; bytes per second go under ${neighbour}`,
    )
  })
})

describe('parseBytesPerSecond', () => {
  test.each([
    ['0', 'max'],
    ['max', 'max'],
    ['2', 2n],
    ['50Mi', 52_428_800n],
    ['100M', 100_000_000n],
    ['1.5Gi', 1_610_612_736n],
    ['2e6', 2_000_000n],
    ['500k', 500_000n],
    ['64Ki', 65_536n],
    ['100000m', 100n],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['15Ei', 15n * 2n ** 60n],
    ['18446744073709551614', MAX_BPS],
  ])('%s is %s', (text, value) => {
    expect(parseBytesPerSecond(text, BPS_KEY)).toEqual({ ok: true, value })
  })

  const ABOVE = 'is above what the kernel counts; write at most 18446744073709551614, or "max" for no limit'

  test.each([
    ['', 'is empty; write a number, "max" for no limit, or leave the key out'],
    ['1', `is below what the kernel takes; ${ABOVE_ONE}`],
    ['1000m', `is below what the kernel takes; ${ABOVE_ONE}`],
    ['00', 'is zero; write "0" or "max" for no limit'],
    ['0Mi', 'is zero; write "0" or "max" for no limit'],
    ['-1', `is negative; ${ABOVE_ONE}`],
    ['-5Mi', `is negative; ${ABOVE_ONE}`],
    ['-0.1', `is negative; ${ABOVE_ONE}`],
    ['-5MB', `is negative; ${ABOVE_ONE}`],
    ['18446744073709551615', ABOVE],
    ['16Ei', ABOVE],
    ['1e999', ABOVE],
    ['1e999999999', ABOVE],
    ['off', 'is not how "no limit" is written; write "max"'],
    ['Infinity', 'is not how "no limit" is written; write "max"'],
    [' 500', 'has white space in it; write "500"'],
    ['50 Mi', 'has white space in it; write "50Mi"'],
    ['1,000', 'has separators between its digits; write "1000"'],
    ['100m', `${NO_WHOLE}; write "100M" (powers of 1000) or "100Mi" (powers of 1024): "m" is a thousandth`],
    ['1.5', `${NO_WHOLE}; write such as "50Mi" or "50M"`],
    ['1e-999', `${NO_WHOLE}; write such as "50Mi" or "50M"`],
    ['1.1Gi', `${NO_WHOLE}; write "1181116006", rounded down`],
    ['64K', `${NO_SUFFIX}; write "64Ki" (powers of 1024) or "64k" (powers of 1000)`],
    ['5g', `${NO_SUFFIX}; write "5Gi" (powers of 1024) or "5G" (powers of 1000)`],
    ['5ki', `${NO_SUFFIX}; write "5Ki"`],
    ['5mi', `${NO_SUFFIX}; write "5Mi"`],
    ['5 gi', `${NO_SUFFIX}; write "5Gi"`],
    ['50MB', `${UNIT}; write "50Mi" (powers of 1024) or "50M" (powers of 1000)`],
    ['50MB/s', `${UNIT}; write "50Mi" (powers of 1024) or "50M" (powers of 1000)`],
    ['50 mB/S', `${UNIT}; write "50Mi" (powers of 1024) or "50M" (powers of 1000)`],
    ['50KBps', `${UNIT}; write "50Ki" (powers of 1024) or "50k" (powers of 1000)`],
    ['50MiB', `${UNIT}; write "50Mi"`],
    ['50Mi/s', `${UNIT}; write "50Mi"`],
    ['500B', `${UNIT}; write "500"`],
    ['500 bytes', `${UNIT}; write "500"`],
    ['400Mbit', `${BITS}; write "50M", an eighth of it, or "400M" if bytes are meant`],
    ['400MBit/s', `${BITS}; write "50M", an eighth of it, or "400M" if bytes are meant`],
    ['100Mbps', `${BITS}; write "12500k", an eighth of it, or "100M" if bytes are meant`],
    ['100 mbps', `${BITS}; write "12500k", an eighth of it, or "100M" if bytes are meant`],
    ['16Kb', `${BITS}; write "2k", an eighth of it, or "16k" if bytes are meant`],
    ['16Kib', `${BITS}; write "2Ki", an eighth of it, or "16Ki" if bytes are meant`],
    ['8000bits', `${BITS}; write "1k", an eighth of it, or "8000" if bytes are meant`],
    ['12bit', `${BITS}; divide it by 8, or write "12" if bytes are meant`],
    ['1.5bps', `${BITS}; divide it by 8, or write "1.5" if bytes are meant`],
    ['1i', NO_QUANTITY],
    ['1e', NO_QUANTITY],
    ['0x10', NO_QUANTITY],
    ['NaN', NO_QUANTITY],
    ['fast', NO_QUANTITY],
    ['50MMi', NO_QUANTITY],
    ['\u0661\u0662', NO_QUANTITY],
    ['5０Mi', NO_QUANTITY],
    ['.', NO_QUANTITY],
    ['-1.5', `is negative; ${ABOVE_ONE}`],
    ['-500m', `is negative; ${ABOVE_ONE}`],
    ['1.5m', `${NO_WHOLE}; write such as "50Mi" or "50M"`],
    ['2.5', `${NO_WHOLE}; write "2", rounded down`],
    ['7byte', `${UNIT}; write "7"`],
    ['1.25MB', `${UNIT}; write "1.25Mi" (powers of 1024) or "1.25M" (powers of 1000)`],
  ])('%j %s', (text, complaint) => {
    expect(sayBps(text)).toBe(`${BPS_KEY}: "${text}" ${complaint}`)
  })

  test('a text that would fill the screen is cut', () => {
    expect(sayBps('9'.repeat(100_000))).toBe(
      `${BPS_KEY}: "${'9'.repeat(64)}..." is too long for a number; write such as "500", or "max" for no limit`,
    )
  })
})

describe('both', () => {
  const parsers = [parseIops, parseBytesPerSecond] as const

  test('formatting and parsing give the same value', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 2n, max: MAX_IOPS }),
        fc.bigInt({ min: 2n, max: MAX_BPS }),
        (iops, bps) => {
          expect(parseIops(formatIops(iops as Iops), IOPS_KEY)).toEqual({ ok: true, value: iops })
          expect(parseBytesPerSecond(formatBytesPerSecond(bps as BytesPerSecond), BPS_KEY)).toEqual({
            ok: true,
            value: bps,
          })
        },
      ),
    )
    expect(formatIops('max')).toBe('max')
    expect(formatBytesPerSecond('max')).toBe('max')
  })

  test('any text is a value within the bounds, or one problem that has every part', () => {
    const likely = fc.stringMatching(/^[-+]?[\d.,_ ]{1,12}[eE]?[-+]?\d{0,3}[a-zA-Z/ ]{0,5}$/)
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'grapheme' }), likely),
        fc.constantFrom(...parsers),
        (text, parse) => {
          const result = parse(text, BPS_KEY)
          const max = parse === parseIops ? MAX_IOPS : MAX_BPS
          if (result.ok) {
            expect(result.value === 'max' || (result.value >= 2n && result.value <= max)).toBe(true)
          } else {
            const [problem] = result.problems
            expect(result.problems).toHaveLength(1)
            expect(problem).toMatchObject({ field: BPS_KEY, value: text })
            expect(problem?.reason).toMatch(/^[a-z]/)
            expect(problem?.cure).toMatch(/^(write|divide) .*[^.]$/)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('what a cure says to write is a value', () => {
    const digits = fc.integer({ min: 16, max: 999_999 }).map((n) => String(n * 8))
    const mistakes = fc.constantFrom(
      'K',
      'KB',
      'MB/s',
      'MiB',
      'Mbit',
      'Mbps',
      ' Mi',
      'g',
      'B',
      'm',
      'kb',
      'k ',
    )
    fc.assert(
      fc.property(digits, mistakes, (number, mistake) => {
        const result = parseBytesPerSecond(`${number}${mistake}`, BPS_KEY)
        // Thousands of thousandths are whole bytes, and no mistake.
        fc.pre(!(mistake === 'm' && number.endsWith('000')))
        const cures = result.ok ? [] : [...(result.problems[0]?.cure ?? '').matchAll(/"(\d[^"]*)"/g)]
        expect(cures).not.toEqual([])
        for (const [, cure = ''] of cures) expect(parseBytesPerSecond(cure, BPS_KEY).ok).toBe(true)
      }),
    )
  })
})
