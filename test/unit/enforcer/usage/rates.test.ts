/** Rates: what is doubtful gives none, and nothing gives a spike. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { followUsage, type Track, type UsageSample } from '../../../../enforcer/core/rates.ts'
import { findUsage } from '../../../../enforcer/core/usageChoice.ts'

const usageOf = (count: number) => ({
  reads: BigInt(count),
  writes: BigInt(2 * count),
  readBytes: BigInt(4096 * count),
  writtenBytes: BigInt(8192 * count),
})

/** At so many seconds. */
const sampleAt = (seconds: number, count: number, more: Partial<UsageSample> = {}): UsageSample => ({
  source: 'cgroup',
  usage: usageOf(count),
  now: 1_800_000_000_000 + seconds * 1000,
  clock: seconds * 1000,
  ...more,
})

/** As cAdvisor tells it: read so many seconds before. */
const cadvisorAt = (seconds: number, count: number, age = 0, step = 0): UsageSample => {
  const sample = sampleAt(seconds, count, { source: 'cadvisor' })
  const now = sample.now + step * 1000
  return { ...sample, now, at: now - age * 1000 }
}

const follow = (...samples: readonly UsageSample[]): Track | undefined =>
  samples.reduce<Track | undefined>(followUsage, undefined)

const ratesOf = (...samples: readonly UsageSample[]) => {
  const { rates, gap } = follow(...samples) ?? {}
  return rates === undefined ? gap : rates
}

describe('rates', () => {
  it('are averages between two samples', () => {
    expect(ratesOf(sampleAt(0, 100), sampleAt(10, 150))).toEqual({
      readIOPS: 5,
      writeIOPS: 10,
      readBPS: 20480,
      writeBPS: 40960,
      seconds: 10,
    })
  })

  it('need two samples, of one source', () => {
    expect(ratesOf(sampleAt(0, 1))).toBe('there is one sample so far: rates need two')
    expect(ratesOf(sampleAt(0, 1), cadvisorAt(10, 9e9))).toBe(
      'who counts has changed: rates need two samples of one source',
    )
  })

  it("go by the source's own time", () => {
    expect(ratesOf(cadvisorAt(0, 0, 12), cadvisorAt(10, 220, 0))).toMatchObject({ readIOPS: 10, seconds: 22 })
  })

  it('stay where the source has nothing new, until that takes too long', () => {
    const two = [cadvisorAt(0, 0), cadvisorAt(10, 100)]
    expect(ratesOf(...two, cadvisorAt(20, 100, 10))).toMatchObject({ readIOPS: 10 })
    expect(ratesOf(...two, cadvisorAt(20, 100, 9.5))).toMatchObject({ readIOPS: 10 })
    expect(ratesOf(...two, cadvisorAt(190, 100, 180))).toBe('the counters are not read any more')
  })

  it('are averages over what was missed', () => {
    expect(ratesOf(sampleAt(0, 0), sampleAt(600, 60))).toMatchObject({ readIOPS: 0.1, seconds: 600 })
  })

  it('begin anew where counters fell', () => {
    expect(ratesOf(sampleAt(0, 1000), sampleAt(10, 5))).toBe('the counters were reset: rates begin anew')
    expect(ratesOf(sampleAt(0, 1000), sampleAt(10, 5), sampleAt(20, 15))).toMatchObject({ readIOPS: 1 })
    const later = [30, 40, 50].map((at) => sampleAt(at, at))
    expect(ratesOf(sampleAt(0, 1000), sampleAt(10, 5), ...later, sampleAt(60, 2050))).toMatchObject({
      readIOPS: 200,
    })
  })

  it.each(['reads', 'writes', 'readBytes', 'writtenBytes'] as const)(
    'begin anew where %s alone fell',
    (one) => {
      const fallen = { ...usageOf(2000), [one]: 1n }
      expect(ratesOf(sampleAt(0, 1000), sampleAt(10, 0, { usage: fallen }))).toBe(
        'the counters were reset: rates begin anew',
      )
      const still = { ...usageOf(2000), [one]: usageOf(1000)[one] }
      expect(ratesOf(sampleAt(0, 1000), sampleAt(10, 0, { usage: still }))).toMatchObject({ seconds: 10 })
    },
  )

  it('know counters that come back: they were misread', () => {
    expect(ratesOf(sampleAt(0, 1e6), sampleAt(10, 0), sampleAt(20, 1e6 + 20))).toMatchObject({
      readIOPS: 1,
      seconds: 20,
    })
    expect(ratesOf(sampleAt(0, 1e6), sampleAt(10, 5), sampleAt(20, 0), sampleAt(30, 1e6 + 30))).toMatchObject(
      { readIOPS: 1, seconds: 30 },
    )
  })

  it('begin anew where the clock was set, with a reading that is younger than that', () => {
    const set = [cadvisorAt(0, 0), cadvisorAt(10, 100, 3, 60)]
    expect(ratesOf(...set)).toBe('the clock was set: rates begin anew')
    expect(ratesOf(...set, cadvisorAt(20, 100, 13, 60))).toBe('the clock was set: rates begin anew')
    const younger = [...set, cadvisorAt(20, 200, 2, 60)]
    expect(ratesOf(...younger)).toBe('the clock was set: rates begin anew')
    expect(ratesOf(...younger, cadvisorAt(30, 320, 0, 60))).toMatchObject({ readIOPS: 10, seconds: 12 })
  })

  it("of the kernel's files know no wall clock", () => {
    const set = { ...sampleAt(10, 100), now: 5 }
    expect(ratesOf(sampleAt(0, 0), set)).toMatchObject({ readIOPS: 10 })
  })
})

/** What happens to one cgroup from one sample to the next. */
const EVENTS = fc.record({
  /** Seconds since the last one. */
  pause: fc.double({ min: 0.2, max: 120, noNaN: true }),
  /** Operations a second, true ones. */
  speed: fc.constantFrom(0, 1, 37, 1000),
  /** Seconds by which the clock is set, now and then. */
  step: fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -4000, max: 4000 }) },
  ),
  /** Where between the last sample and this one. */
  stepAt: fc.double({ min: 0, max: 1, noNaN: true }),
  /** Share of the pause that the reading is old. */
  age: fc.double({ min: 0, max: 1, noNaN: true }),
  isMissed: fc.boolean(),
  isReset: fc.oneof(
    { weight: 6, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  isMisread: fc.oneof(
    { weight: 6, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  source: fc.constantFrom('cadvisor' as const, 'cadvisor' as const, 'cgroup' as const),
})

/** The fastest that it ever was. */
const FASTEST = 1000

it('no reset, misreading, gap, restart, change of source or set clock gives a spike', () => {
  const simulation = fc.property(fc.array(EVENTS, { minLength: 2, maxLength: 40 }), (events) => {
    let [time, count, offset] = [0, 5e6, 0]
    let track: Track | undefined
    let [isCalm, wasMisread] = [true, false]
    for (const { pause, speed, step, stepAt, age, isMissed, isReset, isMisread, source } of events) {
      const began = { time, count: isReset ? 0 : count, offset }
      time += pause
      offset += step
      count = began.count + Math.floor(speed * pause)
      // When the counters were read, and by which clock.
      const read = source === 'cgroup' ? time : time - age * pause
      const counted = source === 'cgroup' ? count : began.count + Math.floor(speed * (1 - age) * pause)
      const readOffset = read < began.time + stepAt * pause ? began.offset : offset
      isCalm = isCalm && !isReset && step === 0
      if (isMissed) continue
      // Once, and where there is something much larger to compare it with: a first reading is believed.
      const isSettled = isCalm && track?.rates !== undefined && track.last.source === source
      const misreads = isMisread && isSettled && !wasMisread && began.count >= 5e6
      isCalm = true
      wasMisread = misreads
      const sample: UsageSample = {
        source,
        usage: usageOf(misreads ? 0 : counted),
        now: Math.round((time + offset) * 1000),
        clock: time * 1000,
        ...(source === 'cadvisor' && { at: Math.round((read + readOffset) * 1000) }),
      }
      track = followUsage(track, sample)
      const { rates } = track
      // A clock is read to a millisecond, a step is seen from 50 ms on, a counter counts whole operations.
      const most = FASTEST * 1.06 + 2
      expect(rates?.readIOPS ?? 0).toBeLessThanOrEqual(most)
      expect(rates?.writeIOPS ?? 0).toBeLessThanOrEqual(2 * most)
      expect(rates?.readBPS ?? 0).toBeLessThanOrEqual(4096 * most)
      expect(Math.min(rates?.readIOPS ?? 0, rates?.writeBPS ?? 0)).toBeGreaterThanOrEqual(0)
      expect((rates === undefined) !== (track.gap === undefined)).toBe(true)
    }
  })
  fc.assert(simulation, { numRuns: 3_000 })
})

describe('whose counts are taken', () => {
  const counts = { usage: usageOf(1), at: 5 }
  it('the first that counts, and why not those before', () => {
    expect(
      findUsage([
        ['summary', () => ({ reason: 'it counts nothing' })],
        ['cadvisor', () => counts],
        [
          'cgroup',
          () => {
            throw new Error('is not asked')
          },
        ],
      ]),
    ).toEqual({
      chosen: { source: 'cadvisor', ...counts },
      passedOver: ['kubelet summary: it counts nothing'],
    })
  })
  it('nobody, where nobody counts', () => {
    expect(
      findUsage([
        ['cadvisor', () => ({ reason: 'a' })],
        ['cgroup', () => ({ reason: 'b' })],
      ]),
    ).toEqual({ chosen: undefined, passedOver: ['kubelet cAdvisor: a', 'cgroup files: b'] })
  })
})
