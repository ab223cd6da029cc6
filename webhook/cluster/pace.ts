/** How fast writes may go. */

export interface Pace {
  /** Fulfilled when the next one may go; rejects once the signal aborts. */
  wait(signal: AbortSignal): Promise<void>
}

export interface PaceDeps {
  /** A second; as many may go at once after a rest. */
  readonly qps: number
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** A bucket of `qps` tokens that fills in a second, as a schedule: each call is given its moment, in the order of calls. */
export function createPace({ qps, clock, sleep }: PaceDeps): Pace {
  let next = Number.NEGATIVE_INFINITY
  return {
    async wait(signal) {
      next = Math.max(next + 1 / qps, clock() - 1 + 1 / qps)
      const milliseconds = (next - clock()) * 1000
      if (milliseconds > 0) await sleep(milliseconds, signal)
      signal.throwIfAborted()
    },
  }
}
