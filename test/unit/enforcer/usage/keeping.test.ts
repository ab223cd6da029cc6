/** When samples are taken, in simulated time: as often as somebody looks. */
import { describe, expect, it } from 'vitest'
import { createKeeping } from '../../../../enforcer/usage/keeping.ts'
import { createSimulation } from '../../../support/simulation.ts'

const MINUTE = 60_000

function begin(interval: number, work: (now: number) => Promise<void> | void = () => undefined) {
  const time = createSimulation()
  const stopping = new AbortController()
  const [began, took, broken]: [number[], number[], unknown[]] = [[], [], []]
  const seen = { collected: 0 }
  const keeping = createKeeping({
    interval,
    sampler: {
      sample: async () => {
        began.push(time.now)
        await work(time.now)
      },
      ...{ find: () => undefined, count: () => 0, failures: ['no'] },
    },
    findGroups: () => [],
    findDevices: () => [],
    observe: {
      sampled: (milliseconds, failures) => {
        expect(failures).toEqual(['no'])
        took.push(milliseconds)
      },
      broken: (error) => broken.push(error),
    },
    random: () => 0.5,
    sleep: (milliseconds, signal) => time.sleep(milliseconds, signal),
    stopped: stopping.signal,
    collectGarbage: () => {
      seen.collected += 1
    },
    clock: () => time.now,
  })
  const run = keeping.run()
  return {
    ...{ time, keeping, began, took, broken, seen },
    stop: async () => {
      stopping.abort()
      await run
    },
  }
}

/** True once it has ended by now. */
async function hasEnded(work: Promise<void>): Promise<boolean> {
  let isOver = false
  void work.then(() => (isOver = true))
  await new Promise((resolve) => setImmediate(resolve))
  return isOver
}

describe('while somebody looks', () => {
  it('begins soon, and goes on at the interval, each time by chance a little sooner', async () => {
    const { time, began, stop } = begin(MINUTE)
    await time.runTo(3 * MINUTE)
    expect(began.map(Math.round)).toEqual([4_750, 61_750, 118_750, 175_750])
    await stop()
    const quick = begin(1_000)
    await quick.time.runTo(3_000)
    expect(quick.began.map(Math.round)).toEqual([950, 1_900, 2_850])
    await quick.stop()
  })

  it('goes on for as long as there are looks, however many', async () => {
    const { time, keeping, began, stop } = begin(MINUTE)
    for (let minute = 4; minute <= 60; minute += 4) {
      await time.runTo(minute * MINUTE)
      expect(await hasEnded(keeping.look())).toBe(true)
    }
    const pauses = began.slice(1).map((at, index) => at - (began[index] ?? 0))
    expect(began.length).toBe(64)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(MINUTE)
    await stop()
  })

  it('goes on after a mistake of ours', async () => {
    const mistake = new Error('a mistake')
    const { time, broken, took, seen, stop } = begin(1_000, () => Promise.reject(mistake))
    await time.runTo(2_000)
    expect({ broken, took }).toEqual({ broken: [mistake, mistake], took: [] })
    expect(seen.collected).toBe(2)
    await stop()
  })

  it('tells how long each took', async () => {
    const scene = begin(MINUTE, () => scene.time.sleep(300))
    await scene.time.runTo(2 * MINUTE)
    expect(scene.took).toEqual([300, 300, 300])
    await scene.stop()
  })

  it('does not begin where it is stopped before', async () => {
    const { began, stop } = begin(MINUTE)
    await stop()
    expect(began).toEqual([])
  })
})

describe('while nobody looks', () => {
  it('goes on five minutes from the start, then once in five minutes', async () => {
    const { time, began, stop } = begin(MINUTE)
    await time.runTo(25 * MINUTE)
    const pauses = began.slice(1).map((at, index) => Math.round(at - (began[index] ?? 0)))
    expect(pauses).toEqual([57, 57, 57, 57, 57, 285, 285, 285, 285].map((seconds) => seconds * 1000))
    await stop()
  })

  it('cleans up once an interval, sample or not', async () => {
    const { time, began, seen, stop } = begin(MINUTE)
    await time.runTo(20 * MINUTE)
    expect({ samples: began.length, collected: seen.collected }).toEqual({ samples: 9, collected: 21 })
    await stop()
  })

  it('goes on at an interval that is longer than that', async () => {
    const { time, began, stop } = begin(10 * MINUTE)
    await time.runTo(60 * MINUTE)
    expect(began.map(Math.round)).toEqual([0, 1, 2, 3, 4, 5, 6].map((round) => 4_750 + round * 570_000))
    await stop()
  })

  it('is woken by a look, which waits for the sample', async () => {
    const scene = begin(MINUTE, () => scene.time.sleep(300))
    const { time, keeping, began, stop } = scene
    await time.runTo(12 * MINUTE)
    const [known, last = 0] = [began.length, began.at(-1)]
    expect(time.now - last).toBeGreaterThan(MINUTE)
    const look = keeping.look()
    expect(await hasEnded(look)).toBe(false)
    expect(began.slice(known)).toEqual([12 * MINUTE])
    await time.runTo(12 * MINUTE + 299)
    expect(await hasEnded(look)).toBe(false)
    await time.runTo(12 * MINUTE + 300)
    expect(await hasEnded(look)).toBe(true)
    await time.runTo(16 * MINUTE)
    expect(began.length).toBe(known + 5)
    await stop()
  })

  it('lets nobody wait for a sample that is not a minute old', async () => {
    const { time, keeping, began, stop } = begin(MINUTE)
    await time.runTo(6 * MINUTE)
    const count = began.length
    while (began.length === count) await time.runTo(time.now + 1_000)
    expect(await hasEnded(keeping.look())).toBe(true)
    expect(began.length).toBe(count + 1)
    await stop()
  })

  it('lets nobody wait for the first', async () => {
    const { time, keeping, began } = begin(10 * MINUTE, () => new Promise<void>(() => undefined))
    await time.runTo(9 * MINUTE)
    expect(began).toEqual([4_750])
    expect(await hasEnded(keeping.look())).toBe(true)
  })

  it('lets nobody wait long, and nobody twice', async () => {
    const { time, keeping } = begin(MINUTE, (now) =>
      now < 6 * MINUTE ? undefined : new Promise<void>(() => undefined),
    )
    await time.runTo(12 * MINUTE)
    const look = keeping.look()
    expect(await hasEnded(look)).toBe(false)
    expect(await hasEnded(keeping.look())).toBe(true)
    await time.runTo(12 * MINUTE + 1_999)
    expect(await hasEnded(look)).toBe(false)
    await time.runTo(12 * MINUTE + 2_000)
    expect(await hasEnded(look)).toBe(true)
    await time.runTo(12 * MINUTE + 2_001)
  })
})
