import { describe, expect, test } from 'vitest'
import { bad, ok, type Problem, type Result } from '../../../contract/problem.ts'
import type { Source } from '../../../webhook/policy/load.ts'
import { openFiles } from '../../../webhook/server/follow.ts'

const problem: Problem = { field: 'f', reason: 'is no number', cure: 'write one' }

const texts = (...given: readonly string[]): Result<readonly Source[]> =>
  ok(given.map((text, index) => ({ name: `${index}`, text })))

async function open(first: Result<readonly Source[]>) {
  let content = first
  const told: unknown[] = []
  const opened = await openFiles({
    read: () => Promise.resolve(content),
    parse: (sources) => {
      const sum = sources.reduce((total, { text }) => total + Number(text), 0)
      return Number.isNaN(sum) ? bad(problem) : ok(sum)
    },
  })
  const check = async (next: Result<readonly Source[]>): Promise<number | undefined> => {
    content = next
    if (!opened.ok) throw new Error('not opened')
    await opened.value.check({
      loaded: (value) => told.push(value),
      refused: (problems) => told.push(...problems),
    })
    return opened.value.current
  }
  return { opened, told, check }
}

describe('openFiles', () => {
  test('gives the first value, or its problems', async () => {
    const { opened } = await open(texts('1', '2'))
    expect(opened.ok && opened.value.current).toBe(3)
    expect((await open(texts('x'))).opened).toEqual(bad(problem))
    expect((await open(bad(problem))).opened).toEqual(bad(problem))
  })

  test('follows the content, and tells each change once', async () => {
    const { check, told } = await open(texts('1'))
    expect(await check(texts('1'))).toBe(1)
    expect(await check(texts('2'))).toBe(2)
    expect(await check(texts('2'))).toBe(2)
    expect(await check(texts('2', '2'))).toBe(4)
    expect(told).toEqual([2, 4])
  })

  test('keeps what is in force while the content is wrong or cannot be read, told once each', async () => {
    const { check, told } = await open(texts('1'))
    expect(await check(texts('x'))).toBe(1)
    expect(await check(texts('x'))).toBe(1)
    const gone = { ...problem, reason: 'is gone' }
    expect(await check(bad(gone))).toBe(1)
    expect(await check(bad(gone))).toBe(1)
    expect(await check(texts('5'))).toBe(5)
    expect(told).toEqual([problem, gone, 5])
  })
})
