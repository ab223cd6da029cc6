import { describe, expect, test } from 'vitest'
import { bad, ok, type Problem } from '../../../contract/problem.ts'
import { openFiles, type ReadFiles } from '../../../webhook/server/follow.ts'

const problem: Problem = { field: 'f', reason: 'is no number', cure: 'write one' }

const texts = (...given: readonly string[]): ReadFiles => ({
  sources: given.map((text, index) => ({ name: `${index}`, text })),
  problems: [],
})
const unreadable = (...problems: readonly Problem[]): ReadFiles => ({ sources: [], problems })

async function open(first: ReadFiles) {
  let content = first
  const told: unknown[] = []
  const opened = await openFiles({
    read: () => Promise.resolve(content),
    parse: (sources) => {
      const sum = sources.reduce((total, { text }) => total + Number(text), 0)
      return Number.isNaN(sum) ? bad(problem) : ok(sum)
    },
  })
  const check = async (next: ReadFiles): Promise<number | undefined> => {
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
    expect((await open(unreadable(problem))).opened).toEqual(bad(problem))
  })

  test('tells of a file that cannot be read beside what is wrong with the others', async () => {
    const gone = { ...problem, reason: 'is gone' }
    expect((await open({ ...texts('1', 'x'), problems: [gone] })).opened).toEqual(bad(gone, problem))
    expect((await open({ ...texts('1'), problems: [gone] })).opened).toEqual(bad(gone))
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
    expect(await check(unreadable(gone))).toBe(1)
    expect(await check(unreadable(gone))).toBe(1)
    expect(await check(texts('5'))).toBe(5)
    expect(told).toEqual([problem, gone, 5])
  })
})
