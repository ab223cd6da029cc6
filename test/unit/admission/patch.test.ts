import { describe, expect, it } from 'vitest'
import { applyPatch, formatPatch, isApplicable } from '../../../webhook/admission/patch.ts'

describe('a patch of our own', () => {
  const target = { annotations: { 'a/b~c': '1', b: '2' }, hasAnnotations: true }

  it('is applicable where it gives what was decided', () => {
    const changes = { set: { 'a/b~c': '3', d: '4' }, remove: ['b'] }
    expect(isApplicable(formatPatch(changes, true), target, changes, applyPatch)).toBe(true)
  })

  it.each([
    ['takes away what is not there', { set: {}, remove: ['c'] }],
    ['takes away a key of the prototype', { set: {}, remove: ['toString'] }],
  ])('is not where it %s, as the API server would find', (_, changes) => {
    expect(isApplicable(formatPatch(changes, true), target, changes, applyPatch)).toBe(false)
  })

  it('is not where it gives anything else', () => {
    const changes = { set: { d: '4' }, remove: [] }
    const more = [
      ...formatPatch(changes, true),
      { op: 'add', path: '/metadata/annotations/e', value: '5' } as const,
    ]
    expect(isApplicable(more, target, changes, applyPatch)).toBe(false)
    expect(isApplicable([], target, changes, applyPatch)).toBe(false)
  })

  it('is not where its parent is missing', () => {
    const changes = { set: { d: '4' }, remove: [] }
    const nothing = { annotations: {}, hasAnnotations: false }
    expect(isApplicable(formatPatch(changes, true), nothing, changes, applyPatch)).toBe(false)
    expect(isApplicable(formatPatch(changes, false), nothing, changes, applyPatch)).toBe(true)
  })
})
