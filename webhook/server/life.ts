/** Where the program stands in its life; readiness goes by it. */

export interface Life {
  /** Why no traffic should come, each a phrase; empty: ready. */
  readonly unready: readonly string[]
  readonly isStopping: boolean
  startServing(): void
  /** For good. */
  startStopping(why: string): void
}

export function createLife(): Life {
  let isServing = false
  let stopping: string | undefined
  return {
    get unready() {
      if (stopping !== undefined) return [`shutting down: ${stopping}`]
      return isServing ? [] : ['starting: not listening yet']
    },
    get isStopping() {
      return stopping !== undefined
    },
    startServing() {
      isServing = true
    },
    startStopping(why) {
      stopping ??= why
    },
  }
}
