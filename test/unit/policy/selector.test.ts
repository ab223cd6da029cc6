import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rootField } from '../../../contract/reader.ts'
import type { Requirement } from '../../../webhook/policy/requirement.ts'
import { isSelected, type Labels, readSelector } from '../../../webhook/policy/selector.ts'
import { parseSelectorText } from '../../../webhook/policy/selectorText.ts'

/** Recorded from k8s.io/apimachinery v0.35.4, labels.Parse and Matches: see test/fixtures/kubernetes/README.md. */
const RECORDED = JSON.parse(
  readFileSync(new URL('../../fixtures/kubernetes/selectors.json', import.meta.url), 'utf8'),
) as {
  readonly labels: readonly Labels[]
  readonly cases: readonly {
    readonly selector: string
    readonly valid: boolean
    readonly matches: readonly boolean[] | null
  }[]
}

const read = (value: unknown) => {
  const field = rootField(value, 'selector')
  return { selector: readSelector(field), problems: field.problems }
}

const key = fc.constantFrom('app', 'env', 'a.b/c', 'tier')
const value = fc.constantFrom('pg', 'prod', 'x_1', '')
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.uniqueArray(value, { minLength: 1 }).map((values) => new Set(values)),
  }),
  fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
)
const labels = fc.dictionary(key, value)

const textOf = (requirement: Requirement): string => {
  switch (requirement.operator) {
    case 'In':
      return `${requirement.key} in (${[...requirement.values].join(',')})`
    case 'NotIn':
      return `${requirement.key} notin (${[...requirement.values].join(', ')})`
    case 'Exists':
      return requirement.key
    case 'DoesNotExist':
      return `!${requirement.key}`
    case 'Gt':
      return `${requirement.key}>${requirement.bound}`
    case 'Lt':
      return `${requirement.key}<${requirement.bound}`
  }
}

const objectOf = (requirement: Requirement): unknown => ({
  key: requirement.key,
  operator: requirement.operator,
  ...('values' in requirement && { values: [...requirement.values] }),
})

describe('the string form', () => {
  it('is taken and refused, and matches, as the Go library does it', () => {
    for (const { selector, valid, matches } of RECORDED.cases) {
      const parsed = parseSelectorText(selector)
      expect(typeof parsed !== 'string', selector).toBe(valid)
      if (typeof parsed === 'string') continue
      expect(
        RECORDED.labels.map((set) => isSelected(parsed, set)),
        selector,
      ).toEqual(matches)
    }
  })

  it('says the same as the map form', () => {
    fc.assert(
      fc.property(fc.array(requirement), labels, (requirements, set) => {
        const text = read(requirements.map(textOf).join(','))
        const map = read({ matchExpressions: requirements.map(objectOf) })
        expect([...text.problems, ...map.problems]).toEqual([])
        expect(isSelected(text.selector, set)).toBe(isSelected(map.selector, set))
      }),
    )
  })

  it('never throws, whatever stands there, and stops at 4,096 characters', () => {
    fc.assert(
      fc.property(fc.string(), (text) => ['string', 'object'].includes(typeof parseSelectorText(text))),
    )
    expect(parseSelectorText('a,'.repeat(3000))).toBe('it is longer than 4096 characters')
  })

  it.each([
    ['app in (pg', 'a parenthesis is not closed'],
    ['app in pg', 'the values of in and notin stand in parentheses'],
    ['app in (pg web)', 'found "web" inside the parentheses'],
    ['app pg', 'found "pg" where one of =, ==, !=, in, notin, <, > belongs'],
    ['app=pg web', 'found "web" where a comma or the end belongs'],
    ['app,', 'found the end where a label key belongs'],
    ['=pg', 'found "=" where a label key belongs'],
    ['!app=pg', 'found "=" behind !app, which takes no value'],
    ['a/b/c', '"a/b/c" is not a label key'],
    ['app=-x', '"-x" is not a label value'],
    ['tier>x', '"x" behind tier> is not a whole number'],
    ['tier>9223372036854775808', '"9223372036854775808" behind tier> is more than 64 bits hold'],
    [`tier<${'9'.repeat(64)}`, `"${'9'.repeat(64)}" behind tier< is more than 64 bits hold`],
  ])('%s: %s', (text, message) => {
    expect(parseSelectorText(text)).toBe(message)
    expect(read(text).problems).toEqual([
      {
        field: 'selector',
        value: text,
        reason: `is not a selector: ${message}`,
        cure: 'write such as "app=system,env in (prod,staging),!debug"',
      },
    ])
  })

  it('compares numbers as numbers', () => {
    const { selector } = read('tier>9,tier<100')
    expect(['10', '99', '9', '100', 'x', '-5'].filter((tier) => isSelected(selector, { tier }))).toEqual([
      '10',
      '99',
    ])
    expect(isSelected(selector, {})).toBe(false)
  })

  it('compares numbers of 64 bits exactly, and nothing larger', () => {
    const { selector } = read('tier>9223372036854775806')
    const met = (tier: string) => isSelected(selector, { tier })
    expect(['9223372036854775807', '+9223372036854775807', '0009223372036854775807'].map(met)).toEqual([
      true,
      true,
      true,
    ])
    expect(['9223372036854775806', '9223372036854775808', '1'.repeat(1_000_000)].map(met)).toEqual([
      false,
      false,
      false,
    ])
    expect(isSelected(read('tier<5').selector, { tier: '-9223372036854775808' })).toBe(true)
    expect(isSelected(read('tier<5').selector, { tier: '-9223372036854775809' })).toBe(false)
  })
})

describe('the map form', () => {
  it('needs every label of matchLabels and every expression', () => {
    const { selector } = read({
      matchLabels: { app: 'pg' },
      matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['dev'] }],
    })
    expect(isSelected(selector, { app: 'pg' })).toBe(true)
    expect(isSelected(selector, { app: 'pg', env: 'prod' })).toBe(true)
    expect(isSelected(selector, { app: 'pg', env: 'dev' })).toBe(false)
    expect(isSelected(selector, { env: 'prod' })).toBe(false)
  })

  it('takes operators without values', () => {
    const { selector } = read({
      matchExpressions: [
        { key: 'app', operator: 'Exists' },
        { key: 'env', operator: 'DoesNotExist' },
      ],
    })
    expect(isSelected(selector, { app: 'pg' })).toBe(true)
    expect(isSelected(selector, {})).toBe(false)
    expect(isSelected(selector, { app: 'pg', env: 'dev' })).toBe(false)
  })

  it('selects every pod when it is empty', () => {
    expect(isSelected(read({}).selector, { any: 'thing' })).toBe(true)
  })

  it('does not take a prototype for a label', () => {
    expect(isSelected(read('constructor').selector, {})).toBe(false)
    expect(isSelected(read('!toString').selector, {})).toBe(true)
    expect(isSelected(read('constructor').selector, { constructor: 'x' })).toBe(true)
  })

  it.each([
    [null, 'selector', 'is null, not a map', 'write a map of keys and values'],
    [
      { matchLabel: {} },
      'selector.matchLabel',
      'is not a field here',
      'remove it, or write one of matchLabels, matchExpressions',
    ],
    [
      { matchLabels: { app: 5 } },
      'selector.matchLabels.app',
      'is a number, not a text',
      'write a text, in quotes where it looks like a number',
    ],
    [
      { matchLabels: { 'a b': 'x' } },
      'selector.matchLabels["a b"]',
      'is not a label key',
      'write [PREFIX/]NAME of letters, digits, "-", "_", "."; NAME has at most 63',
    ],
    [
      { matchLabels: { app: 'x'.repeat(64) } },
      'selector.matchLabels.app',
      'is not a label value',
      'write at most 63 letters, digits, "-", "_", "."; the ends are letters or digits',
    ],
    [{ matchExpressions: {} }, 'selector.matchExpressions', 'is a map, not a list', 'write a list'],
    [
      { matchExpressions: ['x'] },
      'selector.matchExpressions[0]',
      'is a text, not a map',
      'write a map of keys and values',
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'in', values: ['a'] }] },
      'selector.matchExpressions[0].operator',
      'is not an operator',
      'write one of In, NotIn, Exists, DoesNotExist',
    ],
    [
      { matchExpressions: [{ operator: 'Exists' }] },
      'selector.matchExpressions[0].key',
      'is missing, not a text',
      'write a text, in quotes where it looks like a number',
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'In', values: [] }] },
      'selector.matchExpressions[0].values',
      'is empty, and In compares with values',
      'list at least one value',
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'NotIn' }] },
      'selector.matchExpressions[0].values',
      'is empty, and NotIn compares with values',
      'list at least one value',
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['x'] }] },
      'selector.matchExpressions[0].values',
      'is given, and Exists takes none',
      'remove it',
    ],
    [
      { matchExpressions: [{ key: 'app', operator: 'In', values: ['-'] }] },
      'selector.matchExpressions[0].values',
      'is not a label value',
      'write at most 63 letters, digits, "-", "_", "."; the ends are letters or digits',
    ],
  ])('refuses %j', (given, field, reason, cure) => {
    expect(read(given).problems).toContainEqual(expect.objectContaining({ field, reason, cure }))
  })
})
