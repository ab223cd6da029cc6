/** The loads that are simulated, under the rule of the documentation: what test and table are made of. */
import { settingOf, simulateDay } from './disk.ts'
import { bursty, type Demand, diurnal, recorded, sawtooth, spiteful, steady } from './traces.ts'

export const WINDOWS =
  '[{over: 15m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}, {over: 60m, above: {iops: 400}, limit: {iops: 300}}]'
export const ADAPTIVE = `{windows: ${WINDOWS}, hold: 30m, release: {below: 0.5, for: 10m}}`
/** What a controller without hysteresis does: the last minute decides, either way. */
export const EAGER =
  '{windows: [{over: 1m, above: {writeIOPS: 800}, limit: {writeIOPS: 800}}], hold: 10s, release: {below: 0.999, for: 1m}}'

export const LOADS: readonly (readonly [name: string, demand: Demand])[] = [
  ['steady, below every threshold (390/s)', steady(390)],
  ['steady, far above (4000/s)', steady(4000)],
  ['bursts of 1 to 5 min, one in 2 h (2000/s)', bursty(2000, 7200, 1)],
  ['bursts of 1 to 5 min, one in 20 min (2000/s)', bursty(2000, 1200, 2)],
  ['diurnal (50 to 1500/s)', diurnal(50, 1500)],
  ['sawtooth around the threshold, every 10 min (700 to 900/s)', sawtooth(700, 900, 600)],
  ['sawtooth across it, every 30 min (0 to 1700/s)', sawtooth(0, 1700, 1800)],
  ['sawtooth across it, every 3 h (0 to 1700/s)', sawtooth(0, 1700, 10_800)],
  ['recorded: a build machine', recorded(1)],
  ['recorded, six times as fast', recorded(6)],
  ['spiteful: all it gets until it is capped, nothing until it is free', spiteful(4000)],
]

const HEAD = [
  'a day of',
  'imposed',
  'tightened',
  'released',
  'of the day capped',
  'of what is wanted done',
  'imposed without hysteresis',
]

/** Each load under the rule, a line of Markdown each. */
export function formatDays(): string {
  const [setting, eager] = [settingOf(ADAPTIVE), settingOf(EAGER)]
  const rows = LOADS.map(([name, demand]) => {
    const { imposed, tightened, released, cappedShare, doneShare } = simulateDay(setting, demand)
    const shares = [cappedShare, doneShare].map((share) => `${(100 * share).toFixed(0)} %`)
    return [name, imposed, tightened, released, ...shares, simulateDay(eager, demand).imposed]
  })
  return [HEAD, HEAD.map((_, index) => (index === 0 ? '---' : '--:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
