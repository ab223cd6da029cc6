import { describe, expect, it } from 'vitest'
import {
  type ApplyPatch,
  applyPatch,
  encodePatch,
  formatPatch,
  isApplicable,
} from '../../../webhook/admission/patch.ts'

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

describe('a patch as it is sent', () => {
  const NOTHING = { annotations: {}, hasAnnotations: true }
  const decode = (encoded: string | undefined): unknown =>
    JSON.parse(Buffer.from(encoded ?? '', 'base64').toString())

  /** Carries patches out, and counts them. */
  function counted(): { readonly apply: ApplyPatch; readonly count: () => number } {
    let count = 0
    return {
      count: () => count,
      apply: (document, patch) => {
        count += 1
        return applyPatch(document, patch)
      },
    }
  }

  it('is empty where there is nothing to do, and nothing is carried out', () => {
    const { apply, count } = counted()
    expect(encodePatch(NOTHING, { set: {}, remove: [] }, apply)).toBe('')
    expect(count()).toBe(0)
  })

  it('is base64 of what is done', () => {
    const changes = { set: { d: 'é' }, remove: ['b'] }
    const target = { annotations: { b: '2' }, hasAnnotations: true }
    expect(decode(encodePatch(target, changes, applyPatch))).toEqual([...formatPatch(changes, true)])
  })

  it('is carried out once where many pods are given the same, whatever else they have', () => {
    const { apply, count } = counted()
    const changes = { set: { a: '1', b: '2' }, remove: [] }
    const first = encodePatch(NOTHING, changes, apply)
    expect(decode(first)).toEqual([...formatPatch(changes, true)])
    const second = encodePatch({ annotations: { a: '0', c: '3' }, hasAnnotations: true }, changes, apply)
    expect([second, count()]).toEqual([first, 1])
  })

  it('is another for a pod that has no map of annotations, and for other values', () => {
    const { apply, count } = counted()
    const changes = { set: { a: '1' }, remove: [] }
    const nowhere = { annotations: {}, hasAnnotations: false }
    expect(decode(encodePatch(NOTHING, changes, apply))).toEqual([...formatPatch(changes, true)])
    expect(decode(encodePatch(nowhere, changes, apply))).toEqual([...formatPatch(changes, false)])
    const other = { set: { a: '2' }, remove: [] }
    expect(decode(encodePatch(NOTHING, other, apply))).toEqual([...formatPatch(other, true)])
    expect(count()).toBe(3)
  })

  it('that takes something away is carried out for each pod', () => {
    const { apply, count } = counted()
    const changes = { set: {}, remove: ['b'] }
    const has = { annotations: { b: '2' }, hasAnnotations: true }
    expect(encodePatch(has, changes, apply)).toBeTypeOf('string')
    expect(encodePatch(has, changes, apply)).toBeTypeOf('string')
    expect(encodePatch(NOTHING, changes, apply)).toBeUndefined()
    expect(count()).toBe(3)
  })

  it('is none where it does not apply, and that is not remembered', () => {
    let isBroken = true
    const apply: ApplyPatch = (document, patch) => (isBroken ? {} : applyPatch(document, patch))
    const changes = { set: { a: '1' }, remove: [] }
    expect(encodePatch(NOTHING, changes, apply)).toBeUndefined()
    isBroken = false
    expect(decode(encodePatch(NOTHING, changes, apply))).toEqual([...formatPatch(changes, true)])
  })
})
