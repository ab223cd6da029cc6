/** What a soak has shown, and whether it passes. Pure. */
import { findSlope, type Sample } from './slope.ts'

/** One admission that did not come to its answer. */
export interface Failure {
  readonly why: string
  /** It went to a replica that was killed before it could answer, or to an API server that was away: nobody could have answered. */
  readonly isExcused: boolean
}

export interface Load {
  /** Of the table: who sent. */
  readonly name: string
  readonly answers: number
  readonly failures: readonly Failure[]
}

export interface Soaked {
  readonly loads: readonly Load[]
  /** How often each change was made. */
  readonly changes: Readonly<Record<string, number>>
  /** Of the replica that lived through all of it, under load. */
  readonly samples: readonly Sample[]
  /** Of the same at rest: before the load, and after it. */
  readonly rest: readonly [before: Sample, after: Sample]
  /** What replicas said beside their logs. */
  readonly complaints: string
}

export interface Verdict {
  readonly passed: boolean
  readonly lines: readonly string[]
}

/** What the longest-lived replica may gain in an hour, once it has settled: MiB. */
const MOST_GAINED = 20
/** In a shorter time the collector's moods are more than any leak. Hours. */
const LONG = 0.15
/** Connections that clients keep a while longer come and go. */
const MOST_HANDLES = 10

export function judge(soaked: Soaked): Verdict {
  const { loads, changes, samples, rest, complaints } = soaked
  // The first third is for the heap to find its size.
  const settled = samples.slice(Math.floor(samples.length / 3))
  const [before, after] = rest
  const gained = findSlope(settled, ({ rss }) => rss)
  const leaks = findLeaks(soaked, gained)
  const doubt = isLong(samples) ? '' : ', in too short a time to tell'
  const lost = loads.flatMap(({ name, failures }) =>
    failures.filter(({ isExcused }) => !isExcused).map(({ why }) => `${name}: ${why}`),
  )
  const made = Object.entries(changes).map(([name, count]) => `${name} ${count}`)
  const warnings =
    complaints.trim() === '' ? [] : [`replicas complained: ${complaints.trim().slice(0, 1000)}`]
  return {
    passed: lost.length === 0 && leaks.length === 0,
    lines: [
      `changes: ${made.join(', ')}`,
      ...loads.map(formatLoad),
      `RSS ${before.rss.toFixed(0)} MiB at rest, ${describe(settled, 'rss')} under load, ${after.rss.toFixed(0)} MiB at rest again; ${gained.toFixed(1)} MiB an hour${doubt}`,
      `heap in use: ${findSlope(settled, ({ heap }) => heap).toFixed(1)} MiB an hour${doubt}`,
      `handles ${before.handles} at rest, ${describe(settled, 'handles')} under load, ${after.handles} at rest again`,
      ...[...new Set(lost)].map((one) => `FAILED ADMISSION: ${one}`),
      ...leaks.map((one) => `LEAK: ${one}`),
      ...warnings,
    ],
  }
}

function findLeaks(
  { samples, rest: [before, after], complaints }: Soaked,
  gained: number,
): readonly string[] {
  return [
    ...(isLong(samples) && gained > MOST_GAINED ? [`RSS grows by more than ${MOST_GAINED} MiB an hour`] : []),
    ...(after.handles > before.handles + MOST_HANDLES
      ? [`${after.handles - before.handles} more handles at rest than before`]
      : []),
    // Node says so of every emitter with more than ten listeners for one event.
    ...(complaints.includes('MaxListenersExceededWarning') ? ['listeners: MaxListenersExceededWarning'] : []),
  ]
}

const isLong = (samples: readonly Sample[]): boolean => (samples.at(-1)?.hours ?? 0) > LONG

function formatLoad({ name, answers, failures }: Load): string {
  const excused = failures.filter(({ isExcused }) => isExcused).length
  return `${name}: ${answers} answered, ${failures.length - excused} failed, ${excused} went down with whom they were sent to`
}

function describe(samples: readonly Sample[], field: 'rss' | 'handles'): string {
  const values = samples.map((sample) => sample[field])
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`
}
