import type { FollowingTools } from './tools.ts'

export interface Bell {
  /** Something has changed. */
  readonly ring: () => void
  /** Until it rings, or has rung since the last rest; so many milliseconds at most, or until stopped. */
  readonly rest: (milliseconds: number, stopped: AbortSignal) => Promise<void>
}

export function createBell(sleep: FollowingTools['sleep']): Bell {
  let isRung = false
  let nap = new AbortController()
  return {
    ring() {
      isRung = true
      nap.abort()
    },
    async rest(milliseconds, stopped) {
      nap = new AbortController()
      if (!isRung) await sleep(milliseconds, AbortSignal.any([stopped, nap.signal])).catch(() => undefined)
      isRung = false
    },
  }
}
