/** The deadlines of all requests by one timer: one for each takes as long as finding a rule, and hardly any of them ever rings. */
import type { Ending } from './ending.ts'

export interface Alarm {
  /** Ends it as late after so many milliseconds. */
  readonly set: (ending: Ending, milliseconds: number) => void
  readonly clear: (ending: Ending) => void
}

export interface AlarmEffects {
  /** Seconds, from any start. */
  readonly clock: () => number
  /** Calls back after so many milliseconds; gives what calls that off. */
  readonly wake: (callback: () => void, milliseconds: number) => () => void
}

export function createAlarm({ clock, wake }: AlarmEffects): Alarm {
  /** By the clock's seconds. */
  const ends = new Map<Ending, number>()
  let rings = Number.POSITIVE_INFINITY
  let callOff = (): void => undefined
  const wind = (at: number): void => {
    callOff()
    rings = at
    callOff = wake(ring, Math.ceil((at - clock()) * 1000))
  }
  const ring = (): void => {
    rings = Number.POSITIVE_INFINITY
    const now = clock()
    let next = rings
    for (const [ending, at] of [...ends]) {
      if (at > now) next = Math.min(next, at)
      else if (ends.delete(ending)) ending.end('late')
    }
    if (next < rings) wind(next)
  }
  return {
    set(ending, milliseconds) {
      const at = clock() + milliseconds / 1000
      ends.set(ending, at)
      if (at < rings) wind(at)
    },
    // What it was wound for stays: the next request would but wind it up again.
    clear: (ending) => void ends.delete(ending),
  }
}
