import { describe, expect, it } from 'vitest'
import { averageOver, EMPTY_HISTORY } from '../../../webhook/advisor/core/history.ts'
import { createHistories } from '../../../webhook/advisor/histories.ts'

const rates = { readIOPS: 0, writeIOPS: 900, readBPS: 0, writeBPS: 0 }
const readingAt = (at: number) => ({ at, seconds: 60, rates })

describe('histories', () => {
  it('are kept by pod, and are empty for others', () => {
    const histories = createHistories()
    histories.add('a/1', readingAt(60_000), 600_000)
    expect(averageOver(histories.find('a/1'), 60_000, 60_000)?.writeIOPS).toBe(900)
    expect(histories.find('a/2')).toBe(EMPTY_HISTORY)
  })

  it('begin anew at a cut: readings that began before it do not count either', () => {
    const histories = createHistories()
    histories.add('a/1', readingAt(60_000), 600_000)
    histories.cut('a/1', 70_000)
    expect(histories.find('a/1')).toBe(EMPTY_HISTORY)
    histories.add('a/1', readingAt(120_000), 600_000)
    expect(histories.find('a/1')).toBe(EMPTY_HISTORY)
    histories.add('a/1', readingAt(130_000), 600_000)
    expect(averageOver(histories.find('a/1'), 130_000, 60_000)?.writeIOPS).toBe(900)
  })

  it('of pods that are gone are forgotten', () => {
    const histories = createHistories()
    for (const key of ['a/1', 'b/2']) histories.add(key, readingAt(60_000), 600_000)
    histories.retain((key) => key === 'b/2')
    expect(histories.find('a/1')).toBe(EMPTY_HISTORY)
    expect(histories.find('b/2')).not.toBe(EMPTY_HISTORY)
  })
})
