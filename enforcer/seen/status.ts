/** How the program fares, for whoever asks: health, readiness, and what the pages and metrics are made of. */
import type { Place } from '../place.ts'
import type { Feed } from '../sources/feed.ts'

export interface Status {
  /** Where it enforces; as it was last, where it cannot be told now. */
  readonly place: Place | undefined
  /** A pass over everything has ended. */
  readonly passed: (place: Place | undefined) => void
  /** Why the loop does not turn; empty: it does. */
  readonly findIllness: () => readonly string[]
  /** Why nothing is enforced; empty: something is. */
  readonly findUnreadiness: () => readonly string[]
}

export interface StatusDeps {
  /** Milliseconds between passes. */
  readonly interval: number
  readonly feed: Pick<Feed, 'book'>
  /** Milliseconds. */
  readonly clock: () => number
}

/** Milliseconds that a pass may take beyond its time: a slow kubelet, a thousand pods. */
const LENIENCE = 30_000

export function createStatus({ interval, feed, clock }: StatusDeps): Status {
  let place: Place | undefined
  let isPlaced = false
  let passes = 0
  let last = clock()
  return {
    get place() {
      return place
    },
    passed: (now) => {
      place = now ?? place
      isPlaced = now !== undefined
      if (now !== undefined && feed.book !== undefined) passes += 1
      last = clock()
    },
    findIllness: () => {
      const silence = clock() - last
      return silence <= 3 * interval + LENIENCE
        ? []
        : [`the last pass ended ${Math.round(silence / 1000)} s ago`]
    },
    findUnreadiness: () => [
      ...(isPlaced ? [] : ['there is no cgroup tree or no disk to enforce on: see the log']),
      ...(feed.book === undefined ? ['nobody has told of pods yet'] : []),
      ...(passes > 0 ? [] : ['no pass has been made yet']),
    ],
  }
}
