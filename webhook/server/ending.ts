/** How a request comes to its end before it is answered. */

/** `late`: its time is up. `crowded`: its place is needed for somebody else. */
export type Reason = 'late' | 'crowded'

/** Of one request. Not an AbortSignal: two of those, listened to, take half as long as a decision. */
export interface Ending {
  /** Undefined while it goes on. */
  readonly reason: Reason | undefined
  /** The first reason counts. */
  readonly end: (reason: Reason) => void
  /** Told of the end, at once where it has come; in place of whoever was to be told before. */
  readonly tell: (listener: (reason: Reason) => void) => void
}

export function createEnding(): Ending {
  let tellOf: ((reason: Reason) => void) | undefined
  const ending: { -readonly [K in keyof Ending]: Ending[K] } = {
    reason: undefined,
    end(reason) {
      if (ending.reason !== undefined) return
      ending.reason = reason
      tellOf?.(reason)
    },
    tell(listener) {
      tellOf = listener
      if (ending.reason !== undefined) listener(ending.reason)
    },
  }
  return ending
}
