import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAlarm } from '../../../webhook/server/alarm.ts'
import { createEnding, type Ending } from '../../../webhook/server/ending.ts'

/**
 * An alarm in a time that passes only when it is told to, in milliseconds; timers go off at their moment. By seconds in floating
 * point an end may be a millisecond late.
 */
function createScene() {
  let now = 0
  let timers: { readonly at: number; readonly callback: () => void }[] = []
  let wound = 0
  const alarm = createAlarm({
    clock: () => now / 1000,
    wake(callback, milliseconds) {
      const timer = { at: now + Math.max(1, milliseconds), callback }
      timers.push(timer)
      wound += 1
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  })
  return {
    alarm,
    wound: () => wound,
    waiting: () => timers.length,
    pass: (milliseconds: number): void => {
      for (const end = now + milliseconds; now < end; ) {
        now += 1
        const due = timers.filter(({ at }) => at <= now)
        timers = timers.filter(({ at }) => at > now)
        for (const { callback } of due) callback()
      }
    },
  }
}

const reasonsOf = (endings: readonly Ending[]): readonly unknown[] => endings.map(({ reason }) => reason)

describe('createAlarm', () => {
  test('ends each request at its own time, whichever came first', () => {
    const { alarm, pass } = createScene()
    const endings = [300, 100, 200].map((milliseconds) => {
      const ending = createEnding()
      alarm.set(ending, milliseconds)
      return ending
    })
    pass(99)
    expect(reasonsOf(endings)).toEqual([undefined, undefined, undefined])
    pass(2)
    expect(reasonsOf(endings)).toEqual([undefined, 'late', undefined])
    pass(100)
    expect(reasonsOf(endings)).toEqual([undefined, 'late', 'late'])
    pass(100)
    expect(reasonsOf(endings)).toEqual(['late', 'late', 'late'])
  })

  test('leaves those alone that were answered, and is wound up again for who came meanwhile', () => {
    const { alarm, pass } = createScene()
    const [first, second] = [createEnding(), createEnding()]
    alarm.set(first, 100)
    pass(50)
    alarm.set(second, 100)
    alarm.clear(first)
    pass(99)
    expect(reasonsOf([first, second])).toEqual([undefined, undefined])
    pass(2)
    expect(reasonsOf([first, second])).toEqual([undefined, 'late'])
  })

  test('takes one timer for all, and none where nobody waits', () => {
    const { alarm, pass, wound, waiting } = createScene()
    for (let request = 0; request < 1000; request += 1) {
      const ending = createEnding()
      alarm.set(ending, 10_000)
      pass(1)
      alarm.clear(ending)
    }
    expect([wound(), waiting()]).toEqual([1, 1])
    pass(10_000)
    expect([wound(), waiting()]).toEqual([1, 0])
  })

  test('is set by whoever hears of an end, too', () => {
    const { alarm, pass } = createScene()
    const [first, next] = [createEnding(), createEnding()]
    first.tell(() => alarm.set(next, 20))
    alarm.set(first, 10)
    pass(29)
    expect(reasonsOf([first, next])).toEqual(['late', undefined])
    pass(3)
    expect(reasonsOf([first, next])).toEqual(['late', 'late'])
  })

  test('whatever comes and goes, ends are on time and once', () => {
    const schedules = fc.array(
      fc
        .record({
          comes: fc.nat(50),
          longest: fc.integer({ min: 1, max: 60 }),
          takes: fc.integer({ min: 1, max: 90 }),
        })
        .filter(({ longest, takes }) => longest !== takes),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(schedules, (all) => {
        const { alarm, pass } = createScene()
        const ended: (readonly [request: number, at: number])[] = []
        const requests = all.map((one, index) => ({ ...one, index, ending: createEnding() }))
        let now = 0
        for (const { index, ending } of requests) ending.tell(() => ended.push([index, now]))
        while (now < 200) {
          for (const { comes, longest, takes, ending } of requests) {
            if (comes === now) alarm.set(ending, longest)
            if (comes + takes === now) alarm.clear(ending)
          }
          now += 1
          pass(1)
        }
        const late = requests.filter(({ longest, takes }) => longest < takes)
        expect(ended.map(([index]) => index).toSorted((a, b) => a - b)).toEqual(
          late.map(({ index }) => index),
        )
        for (const [index, at] of ended) {
          const due = (requests[index]?.comes ?? 0) + (requests[index]?.longest ?? 0)
          expect(at - due === 0 || at - due === 1).toBe(true)
        }
      }),
    )
  })
})
