/** Time that passes only where it is told to, for several clocks that need not agree. */

export interface Simulation {
  /** True time, in milliseconds from the start. */
  readonly now: number
  /** Fulfilled at `now` plus so many milliseconds, or once the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** Runs all that happens until then. */
  runTo(time: number): Promise<void>
}

interface Alarm {
  readonly at: number
  readonly ring: () => void
}

export function createSimulation(): Simulation {
  let now = 0
  const alarms = new Set<Alarm>()
  return {
    get now() {
      return now
    },
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const alarm: Alarm = {
          at: now + Math.max(0, milliseconds),
          ring: () => {
            alarms.delete(alarm)
            resolve()
          },
        }
        if (signal?.aborted === true) return resolve()
        alarms.add(alarm)
        signal?.addEventListener('abort', alarm.ring, { once: true })
      }),
    async runTo(time) {
      for (;;) {
        await settle()
        const [next] = [...alarms].sort((a, b) => a.at - b.at)
        if (next === undefined || next.at > time) break
        now = Math.max(now, next.at)
        next.ring()
      }
      now = time
    },
  }
}

/** Lets every promise that can go on do so. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(() => resolve()))
