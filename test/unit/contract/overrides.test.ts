import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LIMIT_NAMES } from '../../../contract/keys.ts'
import { formatLimit, formatOverride, parseLimit, parseOverride } from '../../../contract/overrides.ts'
import { formatProblem } from '../../../contract/problem.ts'

const KEY = 'container.iops-limit/pg'

const say = (text: string): readonly string[] => {
  const result = parseOverride(text, KEY)
  return result.ok ? [] : result.problems.map(formatProblem)
}

describe('parseOverride', () => {
  test.each([
    ['read-iops=800', { 'read-iops': 800n }],
    ['read-iops=800,write-bps=50Mi', { 'read-iops': 800n, 'write-bps': 52_428_800n }],
    [' read-iops=800 , write-bps=50Mi ', { 'read-iops': 800n, 'write-bps': 52_428_800n }],
    ['limit=max,bps=0', { limit: 'max', bps: 'max' }],
    ['limit=500,read-iops=800', { limit: 500n, 'read-iops': 800n }],
  ])('%s', (text, value) => {
    expect(parseOverride(text, KEY)).toEqual({ ok: true, value })
  })

  const EXAMPLE = 'is not KEY=VALUE; write such as "read-iops=800,write-bps=50Mi"'
  const NAMES = 'is not a limit; write one of limit, read-iops, write-iops, bps, read-bps, write-bps'

  test.each([
    ['', [`"" ${EXAMPLE}`]],
    ['500', [`"500" ${EXAMPLE}`]],
    ['read-iops=800,', [`"" ${EXAMPLE}`]],
    ['read-iops=1=2', [`"read-iops=1=2" ${EXAMPLE}`]],
    ['readIOPS=800', [`"readIOPS" ${NAMES}`]],
    ['constructor=800', [`"constructor" ${NAMES}`]],
    ['__proto__=800', [`"__proto__" ${NAMES}`]],
    ['iops-limit/limit=800', [`"iops-limit/limit" ${NAMES}`]],
    ['bps=5M,bps=6M', ['"bps=6M" states a key twice; keep one bps']],
    ['read-iops=', ['"read-iops=" is empty; write a number, "max" for no limit, or leave the key out']],
    [
      'read-iops=10Mi',
      [
        '"read-iops=10Mi" is an amount of data, and this key counts operations; write operations per second in digits, such as "500"; bytes per second go under read-bps',
      ],
    ],
    [
      'read-iops=-1,write-bps=64K,foo=1',
      [
        '"read-iops=-1" is negative; write 2 or more, or "max" for no limit',
        '"write-bps=64K" has a suffix that Kubernetes does not know; write "64Ki" (powers of 1024) or "64k" (powers of 1000)',
        `"foo" ${NAMES}`,
      ],
    ],
  ])('%j is refused with every problem', (text, complaints) => {
    expect(say(text)).toEqual(complaints.map((complaint) => `${KEY}: ${complaint}`))
  })

  test('no text makes it throw', () => {
    const likely = fc.stringMatching(/^[a-z=,\d -]{0,60}$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), likely), (text) => {
        const result = parseOverride(text, KEY)
        expect(result.ok || result.problems.length > 0).toBe(true)
      }),
    )
  })
})

describe('formatOverride', () => {
  test('parsing gives the same limits again, in the order of every listing', () => {
    const value = fc.oneof(fc.constant('max'), fc.bigInt({ min: 2n, max: 2n ** 32n - 2n }).map(String))
    const parts = fc.dictionary(fc.constantFrom(...LIMIT_NAMES), value, { minKeys: 1 })
    fc.assert(
      fc.property(parts, (stated) => {
        const parsed = parseOverride(
          Object.entries(stated)
            .map(([name, text]) => `${name}=${text}`)
            .join(','),
          KEY,
        )
        if (!parsed.ok) throw new Error('the property states only what is valid')
        const text = formatOverride(parsed.value)
        expect(parseOverride(text, KEY)).toEqual(parsed)
        expect(text.split(',').map((part) => part.split('=')[0])).toEqual(
          LIMIT_NAMES.filter((name) => name in stated),
        )
      }),
    )
  })

  test('nothing stated is nothing written', () => {
    expect(formatOverride({})).toBe('')
  })
})

test('a limit is read and written in its own unit', () => {
  expect(parseLimit('limit', '1024', 'iops-limit/limit')).toEqual({ ok: true, value: { limit: 1024n } })
  expect(parseLimit('bps', '1Ki', 'iops-limit/bps')).toEqual({ ok: true, value: { bps: 1024n } })
  const both = parseOverride('limit=1024,bps=1024', KEY)
  expect(both.ok && both.value.limit !== undefined && formatLimit('limit', both.value.limit)).toBe('1024')
  expect(both.ok && both.value.bps !== undefined && formatLimit('bps', both.value.bps)).toBe('1Ki')
  expect(formatLimit('bps', 'max')).toBe('max')
})

test('a text that no override needs is refused whole, not part by part', () => {
  const text = 'x,'.repeat(257)
  expect(parseOverride(text, 'container.iops-limit/main')).toEqual({
    ok: false,
    problems: [
      {
        field: 'container.iops-limit/main',
        value: text,
        reason: 'is longer than 512 characters',
        cure: 'write such as "read-iops=800,write-bps=50Mi"',
      },
    ],
  })
  expect(parseOverride(`limit=${'0'.repeat(503)}500`, 'x')).toMatchObject({
    problems: [{ reason: 'is too long for a number' }],
  })
})
