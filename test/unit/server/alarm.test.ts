import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAlarm } from '../../../webhook/server/alarm.ts'

/**
 * An alarm in a time that passes only when it is told to, in milliseconds; timers go off at their moment. By seconds in floating
 * point an end may be a millisecond late.
 */
function createScene() {
  let now = 0
  let timers: { readonly at: number; readonly callback: () => void }[] = []
  let wound = 0
  let shortest = Number.POSITIVE_INFINITY
  const alarm = createAlarm({
    clock: () => now / 1000,
    wake(callback, milliseconds) {
      const timer = { at: now + Math.max(1, milliseconds), callback }
      timers.push(timer)
      wound += 1
      shortest = Math.min(shortest, milliseconds)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  })
  return {
    alarm,
    wound: () => wound,
    shortest: () => shortest,
    take: (milliseconds: number): void => {
      now += milliseconds
    },
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

describe('createAlarm', () => {
  test('calls each back at its own time, whichever came first', () => {
    const { alarm, pass } = createScene()
    const called: number[] = []
    for (const milliseconds of [300, 100, 200]) alarm.set(() => called.push(milliseconds), milliseconds)
    pass(99)
    expect(called).toEqual([])
    pass(2)
    expect(called).toEqual([100])
    pass(100)
    expect(called).toEqual([100, 200])
    pass(100)
    expect(called).toEqual([100, 200, 300])
  })

  test('leaves those alone that were called off, and is wound up again for who came meanwhile', () => {
    const { alarm, pass } = createScene()
    const called: string[] = []
    const callOff = alarm.set(() => called.push('first'), 100)
    pass(50)
    alarm.set(() => called.push('second'), 100)
    callOff()
    pass(99)
    expect(called).toEqual([])
    pass(2)
    expect(called).toEqual(['second'])
    callOff()
    pass(1000)
    expect(called).toEqual(['second'])
  })

  test('takes one timer for all, and none where nobody waits', () => {
    const { alarm, pass, wound, waiting } = createScene()
    for (let request = 0; request < 1000; request += 1) {
      const callOff = alarm.set(() => undefined, 10_000)
      pass(1)
      callOff()
    }
    expect([wound(), waiting()]).toEqual([1, 1])
    pass(10_000)
    expect([wound(), waiting()]).toEqual([1, 0])
  })

  test('is set, and called off, by who is called back too', () => {
    const { alarm, pass } = createScene()
    const called: string[] = []
    const callOffs: (() => void)[] = []
    alarm.set(() => {
      called.push('first')
      for (const callOff of callOffs) callOff()
      alarm.set(() => called.push('next'), 20)
    }, 10)
    callOffs.push(alarm.set(() => called.push('never'), 10))
    pass(29)
    expect(called).toEqual(['first'])
    pass(3)
    expect(called).toEqual(['first', 'next'])
  })

  test('rings at once for whose time came while another was called back, and asks for no time that has passed', () => {
    const { alarm, pass, take, shortest } = createScene()
    const called: string[] = []
    alarm.set(() => {
      called.push('slow')
      take(50)
    }, 10)
    alarm.set(() => called.push('due meanwhile'), 20)
    pass(10)
    expect(called).toEqual(['slow'])
    pass(1)
    expect([called, shortest()]).toEqual([['slow', 'due meanwhile'], 0])
  })

  test('whatever comes and goes, all are called in time and once', () => {
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
        const called: (readonly [request: number, at: number])[] = []
        const callOffs = new Map<number, () => void>()
        let now = 0
        while (now < 200) {
          for (const [index, { comes, longest, takes }] of all.entries()) {
            if (comes === now)
              callOffs.set(
                index,
                alarm.set(() => called.push([index, now]), longest),
              )
            if (comes + takes === now) callOffs.get(index)?.()
          }
          now += 1
          pass(1)
        }
        const late = all.flatMap(({ longest, takes }, index) => (longest < takes ? [index] : []))
        expect(called.map(([index]) => index).toSorted((a, b) => a - b)).toEqual(late)
        for (const [index, at] of called) {
          const due = (all[index]?.comes ?? 0) + (all[index]?.longest ?? 0)
          expect(at - due === 0 || at - due === 1).toBe(true)
        }
      }),
    )
  })
})
