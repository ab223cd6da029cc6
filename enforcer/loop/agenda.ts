/** What is to be done next: single pods, at once, or everything. */

/** Why: a cgroup came, the pod changed, it is time, a write is tried again. */
export type Cause = 'cgroup' | 'pod' | 'interval' | 'retry'

export interface Item {
  readonly cause: Cause
  /** Milliseconds, when it was asked for first. */
  readonly since: number
}

export type Turn =
  | ({ readonly kind: 'all' } & Item)
  | ({ readonly kind: 'pod'; readonly uid: string } & Item)
  | { readonly kind: 'end' }

export interface Agenda {
  readonly add: (uids: Iterable<string>, cause: Cause) => void
  readonly addAll: (cause: Cause) => void
  /** Waits for something to do; single pods come first. */
  readonly next: () => Promise<Turn>
  /** A single pod that waits, for between the steps of a pass over everything. */
  readonly takePod: () => Turn | undefined
  /** Waits for anything to be added; one at a time may wait, here or for what is next. */
  readonly untilAdded: () => Promise<void>
  readonly end: () => void
}

export function createAgenda(clock: () => number): Agenda {
  const queue = createQueue()
  let hasEnded = false
  let wake = (): void => undefined
  const untilAdded = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })
  return {
    add: (uids, cause) => {
      for (const uid of uids) queue.putPod(uid, { cause, since: clock() })
      wake()
    },
    addAll: (cause) => {
      queue.putAll({ cause, since: clock() })
      wake()
    },
    next: async () => {
      for (;;) {
        const turn = hasEnded ? ({ kind: 'end' } as const) : (queue.takePod() ?? queue.takeAll())
        if (turn !== undefined) return turn
        await untilAdded()
      }
    },
    takePod: queue.takePod,
    untilAdded,
    end: () => {
      hasEnded = true
      wake()
    },
  }
}

/** Whoever waits already keeps its place, and its time. */
function createQueue() {
  const pods = new Map<string, Item>()
  let all: Item | undefined
  return {
    putPod: (uid: string, item: Item): void => {
      if (!pods.has(uid)) pods.set(uid, item)
    },
    putAll: (item: Item): void => {
      all ??= item
    },
    takePod: (): Turn | undefined => {
      for (const [uid, item] of pods) {
        pods.delete(uid)
        return { kind: 'pod', uid, ...item }
      }
      return undefined
    },
    takeAll: (): Turn | undefined => {
      const item = all
      all = undefined
      return item && { kind: 'all', ...item }
    },
  }
}
