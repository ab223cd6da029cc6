/** A fleet of 5,000 nodes, of which one pod in ten is busy: each is looked at every minute, and none flaps. */
import { expect, test } from 'vitest'
import {
  admitPod,
  isCapped,
  limitOf,
  type SimulatedPod,
  settingOf,
  turn,
} from '../../support/adaptive/disk.ts'
import { createRandom, runSeed } from '../../support/random.ts'

const NODES = 5000
const PODS = 2
/** An hour of the rule in the documentation, at a sixth of its times. */
const setting = settingOf(
  '{windows: [{over: 150s, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}, {over: 10m, above: {iops: 400}, limit: {iops: 300}}], hold: 5m, release: {below: 0.5, for: 100s}}',
)
const MINUTES = 30

test(`seed ${runSeed()}`, () => {
  const random = createRandom(runSeed())
  const first = admitPod(setting)
  let fleet: readonly SimulatedPod[] = Array.from({ length: NODES * PODS }, () => first)
  const isBusy = fleet.map(() => random.below(10) === 0)
  const counts = fleet.map(() => ({ impose: 0, tighten: 0, release: 0, lifted: 0 }))
  for (let minute = 1; minute <= MINUTES; minute++) {
    fleet = fleet.map((pod, index) => {
      // The busy want much for the first half, and are calm then.
      const wanted = isBusy[index] && minute <= MINUTES / 2 ? 1000 + random.below(3000) : random.below(200)
      const { pod: next, act } = turn(setting, pod, Math.min(wanted, limitOf(pod)), minute * 60)
      if (act !== undefined) counts[index]![act.kind]++
      return next
    })
    if (minute === MINUTES / 2) expect(fleet.map(isCapped)).toEqual(isBusy)
  }
  expect(fleet.some(isCapped)).toBe(false)
  expect(fleet.every(({ annotations }) => annotations['iops-limit/write-iops'] === '2000')).toBe(true)
  for (const [index, { impose, tighten, release, lifted }] of counts.entries()) {
    const busy = isBusy[index] ? 1 : 0
    expect({ impose, release, lifted }).toEqual({ impose: busy, release: busy, lifted: 0 })
    expect(tighten).toBeLessThanOrEqual(busy)
  }
})
