import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addReading,
  averageOver,
  EMPTY_HISTORY,
  type History,
  type Reading,
} from '../../../../webhook/advisor/core/history.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2026, 10, 21, 12)

const ratesOf = (value: number): Reading['rates'] => ({
  readIOPS: value,
  writeIOPS: 2 * value,
  readBPS: 4096 * value,
  writeBPS: 512 * value,
})

const readingOf = (at: number, value: number, seconds = 60): Reading => ({
  at: START + at,
  seconds,
  rates: ratesOf(value),
})

const historyOf = (readings: readonly Reading[], keep = HOUR): History =>
  readings.reduce((history, reading) => addReading(history, reading, keep), EMPTY_HISTORY)

/** One a minute, the first of which ends a minute after the start. */
const minutes = (values: readonly number[], from = 0): readonly Reading[] =>
  values.map((value, index) => readingOf((from + index + 1) * MINUTE, value))

const readAt = (history: History, at: number, over: number): number | undefined =>
  averageOver(history, START + at, over)?.readIOPS

describe('an average', () => {
  test('is of all four rates', () => {
    expect(averageOver(historyOf(minutes([100, 300])), START + 2 * MINUTE, 2 * MINUTE)).toEqual({
      readIOPS: 200,
      writeIOPS: 400,
      readBPS: 819_200,
      writeBPS: 102_400,
    })
  })

  test('is of the window alone, up to the newest reading', () => {
    const history = historyOf(minutes([900, 100, 300]))
    expect(readAt(history, 3 * MINUTE, 2 * MINUTE)).toBe(200)
    expect(readAt(history, 4 * MINUTE, 2 * MINUTE)).toBe(200)
  })

  test('takes of a reading the part that lies in the window', () => {
    const history = historyOf(minutes([100, 400]))
    expect(readAt(history, 2 * MINUTE, 90_000)).toBeCloseTo(300, 3)
    expect(readAt(history, 2 * MINUTE, 10_000)).toBe(400)
  })

  test('of nothing is unknown', () => {
    expect(readAt(EMPTY_HISTORY, 0, MINUTE)).toBeUndefined()
  })

  test('is unknown until nine tenths of the window were read', () => {
    expect(readAt(historyOf(minutes([5, 5, 5, 5, 5, 5, 5, 5])), 8 * MINUTE, 10 * MINUTE)).toBeUndefined()
    expect(readAt(historyOf(minutes([5, 5, 5, 5, 5, 5, 5, 5, 5])), 9 * MINUTE, 10 * MINUTE)).toBe(5)
  })

  test('is unknown across a gap, and known again once the gap is past', () => {
    const gapped = historyOf([...minutes([5, 5, 5]), ...minutes([5, 5, 5, 5], 5)])
    expect(readAt(gapped, 9 * MINUTE, 8 * MINUTE)).toBeUndefined()
    expect(readAt(gapped, 9 * MINUTE, 4 * MINUTE)).toBe(5)
  })

  test('of long readings is known until twice as long', () => {
    const history = historyOf([readingOf(10 * MINUTE, 5, 600)])
    expect(readAt(history, 30 * MINUTE, 10 * MINUTE)).toBe(5)
    expect(readAt(history, 30 * MINUTE + 1, 10 * MINUTE)).toBeUndefined()
  })

  test('is unknown where the newest reading is old, or of a time to come', () => {
    const history = historyOf(minutes([5, 5]))
    expect(readAt(history, 5 * MINUTE, MINUTE)).toBe(5)
    expect(readAt(history, 5 * MINUTE + 1, MINUTE)).toBeUndefined()
    expect(readAt(history, -MINUTE - 1, MINUTE)).toBeUndefined()
  })
})

describe('a reading', () => {
  test('that is told again adds nothing, a little later either', () => {
    const history = historyOf(minutes([5, 7]))
    expect(addReading(history, readingOf(2 * MINUTE, 7), HOUR)).toBe(history)
    expect(addReading(history, readingOf(2 * MINUTE + 5000, 9999), HOUR)).toBe(history)
  })

  test('that comes late adds nothing', () => {
    const history = historyOf(minutes([5, 7]))
    expect(addReading(history, readingOf(MINUTE, 9999), HOUR)).toBe(history)
  })

  test('that overlaps counts for what is new of it', () => {
    const history = historyOf([readingOf(MINUTE, 100), readingOf(MINUTE + 30_000, 400)])
    expect(readAt(history, 2 * MINUTE, 90_000)).toBeCloseTo(200, 3)
  })

  test('from before the newest by more than a minute begins anew: the clock was set back', () => {
    const history = addReading(historyOf(minutes([900, 900, 900])), readingOf(MINUTE, 5), HOUR)
    expect(readAt(history, MINUTE, MINUTE)).toBe(5)
    expect(readAt(history, 3 * MINUTE, 2 * MINUTE)).toBeUndefined()
  })

  test('after a longer time than is kept begins anew', () => {
    const history = addReading(historyOf(minutes([5])), readingOf(2 * HOUR + 2 * MINUTE, 7), HOUR)
    expect(history.stretches).toHaveLength(6)
  })

  test.each([
    { ...readingOf(0, 5), at: Number.NaN },
    { ...readingOf(0, 5), at: -1 },
    readingOf(0, 5, 0),
    readingOf(0, 5, -60),
    readingOf(0, 5, Number.NaN),
    readingOf(0, Number.POSITIVE_INFINITY),
    readingOf(0, -5),
  ])('that cannot be is none: %j', (reading) => {
    expect(addReading(EMPTY_HISTORY, reading, HOUR)).toBe(EMPTY_HISTORY)
  })
})

test('an hour of readings every 10 s takes less than a KiB and a half, and is right to a few hundredths', () => {
  const values = Array.from({ length: 1000 }, (_, index) => (index % 60 < 20 ? 2000 : 10))
  const history = historyOf(values.map((value, index) => readingOf((index + 1) * 10_000, value, 10)))
  expect(history.stretches.byteLength).toBeLessThan(1536)
  const mean = (20 * 2000 + 40 * 10) / 60
  expect(readAt(history, 10_000_000, HOUR)! / mean).toBeGreaterThan(0.97)
  expect(readAt(history, 10_000_000, HOUR)! / mean).toBeLessThan(1.03)
})

const step = fc.record({
  wait: fc.constantFrom(0, 1, 5, 20, 55, 60, 60, 60, 60, 65, 90, 400),
  late: fc.constantFrom(0, 0, 0, 0, -30, -120, 4000),
  value: fc.integer({ min: 0, max: 100_000 }).map((value) => value / 7),
})

test('no average is above the highest rate that was read, whatever is told again, missing, late or stepped', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      let [clock, history, highest] = [0, EMPTY_HISTORY, 0]
      for (const { wait, late, value } of steps) {
        clock += wait * 1000
        history = addReading(history, readingOf(clock + late * 1000, value), HOUR)
        highest = Math.max(highest, value)
        for (const over of [10_000, MINUTE, 15 * MINUTE, HOUR]) {
          const average = averageOver(history, START + clock, over)
          expect(average?.readIOPS ?? 0).toBeLessThanOrEqual(highest * 1.0001)
          expect(average?.writeIOPS ?? 0).toBeLessThanOrEqual(2 * highest * 1.0001)
        }
      }
    }),
  )
})

test('what is kept is bounded, however long and often', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 10, max: 120 }), { minLength: 100, maxLength: 400 }),
      fc.constantFrom(MINUTE, 15 * MINUTE, HOUR, 24 * HOUR),
      (waits, keep) => {
        let [clock, history] = [0, EMPTY_HISTORY]
        for (const wait of waits) {
          clock += wait * 1000
          history = addReading(history, readingOf(clock, 5, wait), keep)
        }
        expect(history.stretches.length / 6).toBeLessThan(80)
        const spans = Array.from({ length: history.stretches.length / 6 }, (_, index) =>
          Number(history.stretches[index * 6]),
        )
        // No more than one stretch begins before what is kept.
        expect(spans.slice(1).reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(keep / 1000)
      },
    ),
    { numRuns: 50 },
  )
})
