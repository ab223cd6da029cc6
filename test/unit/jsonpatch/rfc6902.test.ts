import jsonpatch, { type Operation } from 'fast-json-patch'
import { describe, expect, test } from 'vitest'
import { CASES, POLLUTIONS } from './cases.ts'

/** As admission applies its own patch: each operation checked before it is carried out. */
const apply = (document: unknown, patch: readonly unknown[]): unknown =>
  jsonpatch.applyPatch(structuredClone(document), structuredClone(patch) as Operation[], true).newDocument

/** What the library takes and the RFC refuses, on paths that we never write: docs/decisions/0002-json-patch.md. */
const DEVIATIONS: readonly string[] = [
  'an index with a leading zero',
  'a remove of what is only inherited',
  'a replace of what is only inherited',
  'a move of what is only inherited',
]

describe('fast-json-patch, held to RFC 6902', () => {
  const asked = CASES.filter(({ name }) => !DEVIATIONS.includes(name))

  test.each(asked.filter((one) => 'outcome' in one))('$name', ({ document, patch, outcome }) => {
    expect(apply(document, patch)).toEqual(outcome)
  })

  test.each(asked.filter((one) => !('outcome' in one)))('$name is refused', ({ document, patch }) => {
    expect(() => apply(document, patch)).toThrow()
  })

  test.each(DEVIATIONS)('known deviation: %s is taken', (name) => {
    const known = CASES.find((one) => one.name === name)
    expect(known).not.toHaveProperty('outcome')
    expect(() => apply(known?.document, known?.patch ?? [])).not.toThrow()
  })

  test.each(POLLUTIONS)('no patch reaches a prototype: %j', (operation) => {
    expect(() => apply({ metadata: {} }, [operation])).toThrow()
    expect('polluted' in {}).toBe(false)
    expect(typeof Reflect.get({}, 'toString')).toBe('function')
  })
})
