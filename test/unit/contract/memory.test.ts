import { describe, expect, test } from 'vitest'
import { createMemory } from '../../../contract/memory.ts'

describe('createMemory', () => {
  test('recalls what it was given, and gives it back', () => {
    const memory = createMemory<object>({ most: 2, longest: 3 })
    const value = {}
    expect(memory.recall('a')).toBeUndefined()
    expect(memory.keep('a', value)).toBe(value)
    expect(memory.recall('a')).toBe(value)
    expect(memory.recall('b')).toBeUndefined()
  })

  test('forgets all at once where one more would be too many', () => {
    const memory = createMemory<number>({ most: 2, longest: 3 })
    memory.keep('a', 1)
    memory.keep('b', 2)
    expect([memory.recall('a'), memory.recall('b')]).toEqual([1, 2])
    memory.keep('c', 3)
    expect(['a', 'b', 'c'].map(memory.recall)).toEqual([undefined, undefined, 3])
  })

  test('a longer text is passed through, never kept', () => {
    const memory = createMemory<number>({ most: 2, longest: 3 })
    expect(memory.keep('abcd', 4)).toBe(4)
    expect(memory.recall('abcd')).toBeUndefined()
    expect(memory.keep('abc', 3)).toBe(3)
    expect(memory.recall('abc')).toBe(3)
  })
})
