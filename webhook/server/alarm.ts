/** The deadlines of all requests by one timer: one for each takes as long as finding a rule, and hardly any of them ever rings. */
import { createBag, type Member } from './bag.ts'

export interface Alarm {
  /** Calls back after so many milliseconds; gives what calls that off. */
  readonly set: (callback: () => void, milliseconds: number) => () => void
}

export interface AlarmEffects {
  /** Seconds, from any start. */
  readonly clock: () => number
  /** Likewise, by a timer of its own. */
  readonly wake: Alarm['set']
}

interface Deadline extends Member {
  /** By the clock's seconds. */
  readonly at: number
  readonly callback: () => void
}

export function createAlarm({ clock, wake }: AlarmEffects): Alarm {
  const { add, remove, members } = createBag<Deadline>()
  let rings = Number.POSITIVE_INFINITY
  let callOff = (): void => undefined
  const wind = (at: number): void => {
    callOff()
    rings = at
    // Whoever was called back may have taken longer than was left.
    callOff = wake(ring, Math.max(0, Math.ceil((at - clock()) * 1000)))
  }
  const ring = (): void => {
    rings = Number.POSITIVE_INFINITY
    const now = clock()
    for (const deadline of members.filter(({ at }) => at <= now)) if (remove(deadline)) deadline.callback()
    const next = members.reduce((earliest, { at }) => Math.min(earliest, at), rings)
    if (next < rings) wind(next)
  }
  return {
    set(callback, milliseconds) {
      const deadline = { at: clock() + milliseconds / 1000, callback, place: -1 }
      add(deadline)
      if (deadline.at < rings) wind(deadline.at)
      // What it was wound for stays: the next request would but wind it up again.
      return () => void remove(deadline)
    },
  }
}

/** By a timer of Node's own, that keeps no process alive: what it is for does. */
export function wake(callback: () => void, milliseconds: number): () => void {
  const timer = setTimeout(callback, milliseconds).unref()
  return () => clearTimeout(timer)
}
