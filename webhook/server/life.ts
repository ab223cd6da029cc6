/** Where the program stands in its life; readiness goes by it. */

export interface Life {
  /** Why no traffic should come, each a phrase; empty: ready. */
  readonly unready: readonly string[]
  readonly isStopping: boolean
  startServing(): void
  /** For good. */
  startStopping(why: string): void
}

/** `findUnready`: what else has to be there before decisions can be made, as it is at this moment. */
export function createLife(findUnready: () => readonly string[] = () => []): Life {
  let isServing = false
  let stopping: string | undefined
  return {
    get unready() {
      if (stopping !== undefined) return [`shutting down: ${stopping}`]
      return [...(isServing ? [] : ['starting: not listening yet']), ...findUnready()]
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
