/** One followed collection of the webhook's: whether it is known yet, and how old what is known may be. */
import type { KubeClient } from '../../kube/client.ts'
import {
  type CollectionEvents,
  type FollowObserver,
  followCollection,
  type RestartReason,
} from '../../kube/follow.ts'

/** What is followed, as log and metrics call it. */
export type Followed = 'namespaces' | 'policies'

export interface FollowingObserver {
  /** All of it was listed, within so many seconds. */
  readonly synced: (what: Followed, seconds: number) => void
  readonly failed: (what: Followed, error: unknown) => void
  readonly restarted: (what: Followed, reason: RestartReason) => void
}

export interface FollowingDeps {
  readonly client: KubeClient
  /** Seconds, from any start. */
  readonly clock: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly observe: FollowingObserver
}

export interface Subject {
  readonly what: Followed
  readonly path: string
  /** What is kept of each item until a list is whole. */
  readonly slim?: (item: unknown) => unknown
  readonly events: CollectionEvents
  /** What a failure of the first list means; undefined: nothing in particular. */
  readonly explain?: (error: unknown) => string | undefined
}

export interface Following {
  readonly what: Followed
  /** Why nothing is known yet, as a phrase; undefined once it is. */
  readonly unready: string | undefined
  /** Fulfilled once it is. */
  readonly synced: Promise<void>
  /** Seconds since the last sign of life: a list, an event, a bookmark. Undefined: there was none. */
  readonly age: number | undefined
  /** Until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

export function createFollowing(subject: Subject, deps: FollowingDeps): Following {
  const { what, path, slim, events } = subject
  const { clock, random, sleep } = deps
  let tellSynced = (): void => undefined
  const synced = new Promise<void>((resolve) => {
    tellSynced = resolve
  })
  const state: State = { unready: `${what}: not read from the cluster yet`, heardAt: undefined, began: 0 }
  const observe = createNotice(state, tellSynced, subject, deps)
  return {
    what,
    synced,
    get unready() {
      return state.unready
    },
    get age() {
      return state.heardAt === undefined ? undefined : clock() - state.heardAt
    },
    run: (stopped) =>
      followCollection(
        deps.client,
        { path, ...(slim && { slim }) },
        { events, stopped, random, sleep, observe },
      ),
  }
}

interface State {
  unready: string | undefined
  /** By the clock. */
  heardAt: number | undefined
  began: number
}

function createNotice(
  state: State,
  tellSynced: () => void,
  { what, explain }: Subject,
  { clock, observe }: FollowingDeps,
): FollowObserver {
  const hear = (): void => {
    state.heardAt = clock()
  }
  return {
    heard: hear,
    listing() {
      state.began = clock()
    },
    synced() {
      hear()
      state.unready = undefined
      observe.synced(what, clock() - state.began)
      tellSynced()
    },
    failed(error) {
      if (state.unready !== undefined)
        state.unready = `${what}: not read from the cluster yet: ${explain?.(error) ?? error.message}`
      observe.failed(what, error)
    },
    restarted: (reason) => observe.restarted(what, reason),
  }
}
