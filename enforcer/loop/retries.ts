/** Writes that failed, and when each is tried again. */
import type { Write } from '../core/plan.ts'
import type { Failure } from '../node/files.ts'

export interface Retries {
  /** Those that are due; for the others, the failure that stands. */
  readonly sift: (writes: readonly Write[]) => {
    readonly due: readonly Write[]
    readonly waiting: readonly Failure[]
  }
  /** Gives the milliseconds until it is tried again. */
  readonly failed: (write: Write, failure: Failure) => number
  /** Forgets all others: what is not planned any more needs no memory. */
  readonly retain: (writes: readonly Write[]) => void
}

interface Attempt {
  readonly failure: Failure
  readonly count: number
  readonly due: number
}

/** Of one pod. */
export function createRetries(clock: () => number): Retries {
  const attempts = new Map<string, Attempt>()
  return {
    sift: (writes) => {
      const waiting = writes.filter((write) => (attempts.get(keyOf(write))?.due ?? 0) > clock())
      return {
        due: writes.filter((write) => !waiting.includes(write)),
        waiting: waiting.flatMap((write) => attempts.get(keyOf(write))?.failure ?? []),
      }
    },
    failed: (write, failure) => {
      const count = attempts.get(keyOf(write))?.count ?? 0
      const pause = findPause(failure.code, count)
      attempts.set(keyOf(write), { failure, count: count + 1, due: clock() + pause })
      return pause
    },
    retain: (writes) => {
      const kept = new Set(writes.map(keyOf))
      for (const key of attempts.keys()) if (!kept.has(key)) attempts.delete(key)
    },
  }
}

const keyOf = ({ path, value }: Write): string => `${path} ${value}`

/** The kernel refuses the line itself: it will do so again until something else changes. */
const HOPELESS = ['EINVAL', 'ERANGE']

const [SHORTEST, LONGEST, RARELY] = [250, 30_000, 600_000]

/** Milliseconds, doubled with each failure in a row. */
const findPause = (code: string, count: number): number =>
  HOPELESS.includes(code) ? RARELY : Math.min(SHORTEST * 2 ** count, LONGEST)
