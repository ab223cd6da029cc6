import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseGlob } from '../../../webhook/policy/pattern.ts'
import type { Rule } from '../../../webhook/policy/policy.ts'
import type { Requirement } from '../../../webhook/policy/requirement.ts'
import { findRule } from '../../../webhook/policy/rules.ts'
import { isSelected } from '../../../webhook/policy/selector.ts'

const requirements: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: fc.constantFrom('app', 'tier', 'toString'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }).map((values) => new Set(values)),
  }),
  fc.record({ key: fc.constantFrom('app', 'tier'), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)

const ruleOf = (selector: readonly Requirement[], index = 0): Rule => ({
  name: `rule-${index}`,
  mark: `policy/rule-${index}`,
  selector,
  exempt: true,
})

const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'other'), fc.constantFrom('a', 'b', 'c'))

describe('findRule', () => {
  it('gives the first whose selector matches, as if each was tried in its turn', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(requirements, { maxLength: 3 }), { maxLength: 12 }),
        labels,
        (selectors, pod) => {
          const rules = selectors.map(ruleOf)
          const first = rules.find(({ selector }) => isSelected(selector, pod))
          expect(findRule({ rules }, pod)).toBe(first)
          expect(findRule({ rules }, pod)).toBe(first)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('takes an earlier rule by any label before a later one by its own', () => {
    const one = ruleOf([{ key: 'app', operator: 'In', values: new Set(['a']) }])
    const rules = [ruleOf([{ key: 'app', operator: 'In', values: new Set(['b']) }]), ruleOf([]), one]
    expect(findRule({ rules }, { app: 'a' })).toBe(rules[1])
    expect(findRule({ rules: [one] }, { app: 'b' })).toBeUndefined()
    expect(findRule({ rules: [] }, {})).toBeUndefined()
  })
})

describe('globs', () => {
  it('mean what they would as regular expressions', () => {
    const text = (...units: readonly string[]) =>
      fc.string({ unit: fc.constantFrom(...units), maxLength: 8 }).filter((glob) => glob !== '')
    fc.assert(
      fc.property(text('a', 'b', '*'), text('a', 'b'), (glob, name) => {
        const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(name)
        expect(parseGlob(glob).matches(name)).toBe(expected)
      }),
      { numRuns: 5000 },
    )
  })
})
