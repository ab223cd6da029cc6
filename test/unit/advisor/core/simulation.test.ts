/** A day of each load on a disk that is throttled: what is imposed, how often, and that it does not flap. */
import { describe, expect, test } from 'vitest'
import { ADAPTIVE, EAGER, LOADS } from '../../../support/adaptive/days.ts'
import { mostImposed, settingOf, simulateDay } from '../../../support/adaptive/disk.ts'
import { bursty, diurnal, sawtooth, spiteful, steady } from '../../../support/adaptive/traces.ts'

const setting = settingOf(ADAPTIVE)

describe('a day of', () => {
  test('steady load below every threshold: nothing', () => {
    expect(simulateDay(setting, steady(399))).toEqual({
      imposed: 0,
      tightened: 0,
      released: 0,
      cappedShare: 0,
      doneShare: 1,
    })
  })

  test('steady load above: one limit, tightened once, and it stands, however calm the throttled pod looks', () => {
    const day = simulateDay(setting, steady(4000))
    expect(day).toMatchObject({ imposed: 1, tightened: 1, released: 0, strictest: 300, loosest: 500 })
    expect(day.cappedShare).toBeGreaterThan(0.98)
  })

  test('load just above the long window’s threshold: its limit, once', () => {
    expect(simulateDay(setting, steady(401))).toMatchObject({
      imposed: 1,
      tightened: 0,
      released: 0,
      strictest: 300,
    })
  })

  test('rare short bursts: nothing, for no window is exceeded by them', () => {
    expect(simulateDay(setting, bursty(2000, 7200, 1)).imposed).toBe(0)
  })

  test('day and night: capped by day, released by night', () => {
    const day = simulateDay(setting, diurnal(50, 1500))
    expect(day).toMatchObject({ imposed: 1, released: 1 })
    expect(day.cappedShare).toBeGreaterThan(0.5)
    expect(day.cappedShare).toBeLessThan(0.9)
  })

  test('a sawtooth around the threshold: one limit, where a controller without hysteresis flaps at every tooth', () => {
    const load = sawtooth(700, 900, 600)
    expect(simulateDay(setting, load)).toMatchObject({ imposed: 1, released: 0 })
    const eager = simulateDay(settingOf(EAGER), load)
    expect(eager.imposed).toBeGreaterThan(100)
  })

  test.each(LOADS)(
    '%s: no more limits than hold and window allow, each within the rule, each gone but the last',
    (_, demand) => {
      const { imposed, released, strictest = 300, loosest = 500 } = simulateDay(setting, demand)
      expect(imposed).toBeLessThanOrEqual(mostImposed(setting.rule))
      expect(imposed - released).toBeGreaterThanOrEqual(0)
      expect(imposed - released).toBeLessThanOrEqual(1)
      expect(strictest).toBeGreaterThanOrEqual(300)
      expect(loosest).toBeLessThanOrEqual(500)
    },
  )

  test('spite gets as many as that bound, and no more: it is what the bound is made of', () => {
    const { imposed } = simulateDay(setting, spiteful(4000))
    expect(mostImposed(setting.rule)).toBe(34)
    expect(imposed).toBeGreaterThanOrEqual(30)
    expect(imposed).toBeLessThanOrEqual(34)
  })

  test.each([
    ['hold', '2h', 11],
    ['hold', '10s', 106],
  ])('spite under a %s of %s: at most %d', (_, hold, most) => {
    const other = settingOf(ADAPTIVE.replace('hold: 30m', `hold: ${hold}`))
    expect(mostImposed(other.rule)).toBe(most)
    expect(simulateDay(other, spiteful(4000)).imposed).toBeLessThanOrEqual(most)
  })
})
