/** What pods want of a disk over a day, in write operations a second at a second of it. */
import { readFileSync } from 'node:fs'
import { createRandom } from '../random.ts'

/** `isCapped`: a limit of the advisor stands. Only who means harm looks at that. */
export type Demand = (second: number, isCapped: boolean) => number

const HOUR = 3600

export const steady =
  (rate: number): Demand =>
  () =>
    rate

/** From `low` up to `high` in a straight line, and at once down again. */
export const sawtooth =
  (low: number, high: number, period: number): Demand =>
  (second) =>
    low + ((high - low) * (second % period)) / period

/** Low at night, high by day. */
export const diurnal =
  (low: number, high: number): Demand =>
  (second) =>
    low + ((high - low) * (1 - Math.cos((2 * Math.PI * second) / (24 * HOUR)))) / 2

/** Bursts of one to five minutes, at random times; `mean` seconds from one to the next. */
export function bursty(rate: number, mean: number, seed: number): Demand {
  const random = createRandom(seed)
  const bursts = Array.from({ length: Math.ceil((24 * HOUR) / mean) }, () => {
    const from = random.below(24 * HOUR)
    return { from, to: from + 60 + random.below(240) }
  })
  return (second) =>
    bursts.some(({ from, to }) => second % (24 * HOUR) >= from && second % (24 * HOUR) < to) ? rate : 20
}

/** Wants all there is until it is capped, and nothing until it is free again: who wants to see the limit come and go. */
export const spiteful =
  (rate: number): Demand =>
  (_, isCapped) =>
    isCapped ? 0 : rate

const RECORDED = new URL('../../fixtures/recorded/node/diskstats.csv', import.meta.url)

/** The disk of a machine that builds and tests this product, over twenty minutes, again and again; `factor` times as fast. */
export function recorded(factor: number): Demand {
  const rows = readFileSync(RECORDED, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
  const samples = rows.map(([end = 0, , writes = 0], index) => ({
    end,
    rate: (writes - (rows[index - 1]?.[2] ?? 0)) / (end - (rows[index - 1]?.[0] ?? 0)),
  }))
  const length = samples.at(-1)?.end ?? 1
  const rates = Array.from(
    { length: Math.floor(length) },
    (_, second) => samples.find(({ end }) => end > second)?.rate ?? 0,
  )
  return (second) => factor * (rates[Math.floor(second) % rates.length] ?? 0)
}
