/**
 * From counters to operations and bytes a second. A rate is told only where both ends of it are sure: what is doubtful gives
 * no rate and a reason, never a spike.
 */
import type { Usage } from './usage.ts'

/** Who counted, in the order in which they are asked. */
export const USAGE_SOURCES = ['summary', 'cadvisor', 'cgroup'] as const
export type UsageSource = (typeof USAGE_SOURCES)[number]

/** One reading of one cgroup's counters for one disk. All times in milliseconds. */
export interface UsageSample {
  readonly source: UsageSource
  readonly usage: Usage
  /** Since 1970, when the counters were read, where that was not at `clock`: cAdvisor's answers are some seconds old. */
  readonly at?: number
  /** Since 1970, when the answer came. */
  readonly now: number
  /** The same moment by a clock that is never set. */
  readonly clock: number
}

/** Averages over `seconds`. */
export interface Rates {
  readonly readIOPS: number
  readonly writeIOPS: number
  readonly readBPS: number
  readonly writeBPS: number
  readonly seconds: number
}

/** What is known of one cgroup on one disk: the newest sample, and what came of it. */
export interface Track {
  readonly last: UsageSample
  /** Before the counters fell: they may have been misread, and come back. */
  readonly fallen?: { readonly sample: UsageSample; readonly patience: number }
  /** The clock was set, so this one's time cannot be trusted as the beginning of a rate. */
  readonly isTainted: boolean
  readonly rates?: Rates
  /** Why there are no rates. */
  readonly gap?: string
}

/** Milliseconds. Wall clock and steady clock go together but for a step; each is read to a millisecond, one after the other. */
const STEP = 50
/** Shorter than this, one burst weighs too much, and so does the reading's own time. */
const SHORTEST = 1_000
/** As long as the same reading may be told again; cAdvisor reads a cgroup every 10 to 15 s. */
const STALE = 180_000
/** Samples for which counters that fell may come back. */
const PATIENCE = 3

const GAPS = {
  first: 'there is one sample so far: rates need two',
  source: 'who counts has changed: rates need two samples of one source',
  clock: 'the clock was set: rates begin anew',
  reset: 'the counters were reset: rates begin anew',
  stale: 'the counters are not read any more',
} as const

/** `before`: the track so far; undefined at the first sample. */
export function followUsage(before: Track | undefined, sample: UsageSample): Track {
  if (before === undefined) return begin(sample, GAPS.first)
  const { last } = before
  if (last.source !== sample.source) return begin(sample, GAPS.source)
  if (isStepped(last, sample)) return { ...begin(sample, GAPS.clock), isTainted: true }
  if (before.isTainted) return last.at === sample.at ? { ...before, last: sample } : begin(sample, GAPS.clock)
  const elapsed = findElapsed(last, sample)
  if (elapsed < SHORTEST) return sample.clock - last.clock < STALE ? before : begin(sample, GAPS.stale)
  return isFallen(last.usage, sample.usage) ? fall(before, sample) : rise(before, sample, elapsed)
}

const begin = (last: UsageSample, gap: string): Track => ({ last, isTainted: false, gap })

/** Counters that were read at `clock` know no wall clock. */
const isStepped = (a: UsageSample, b: UsageSample): boolean =>
  b.at !== undefined && Math.abs(b.now - b.clock - (a.now - a.clock)) > STEP

/** By the source's own times where it tells them, since no step lies between. */
const findElapsed = (a: UsageSample, b: UsageSample): number =>
  a.at === undefined || b.at === undefined ? b.clock - a.clock : b.at - a.at

const isFallen = (a: Usage, b: Usage): boolean =>
  b.reads < a.reads || b.writes < a.writes || b.readBytes < a.readBytes || b.writtenBytes < a.writtenBytes

function fall({ last, fallen }: Track, sample: UsageSample): Track {
  return { ...begin(sample, GAPS.reset), fallen: { sample: fallen?.sample ?? last, patience: PATIENCE } }
}

function rise({ last, fallen }: Track, sample: UsageSample, elapsed: number): Track {
  const risen: Track = { last: sample, isTainted: false, rates: toRates(last, sample, elapsed) }
  if (fallen === undefined) return risen
  if (!isFallen(fallen.sample.usage, sample.usage))
    return { ...risen, rates: toRates(fallen.sample, sample, findElapsed(fallen.sample, sample)) }
  const patience = fallen.patience - 1
  return patience === 0 ? risen : { ...risen, fallen: { ...fallen, patience } }
}

function toRates({ usage: a }: UsageSample, { usage: b }: UsageSample, elapsed: number): Rates {
  const perSecond = (before: bigint, after: bigint): number => (Number(after - before) * 1000) / elapsed
  return {
    readIOPS: perSecond(a.reads, b.reads),
    writeIOPS: perSecond(a.writes, b.writes),
    readBPS: perSecond(a.readBytes, b.readBytes),
    writeBPS: perSecond(a.writtenBytes, b.writtenBytes),
    seconds: elapsed / 1000,
  }
}
