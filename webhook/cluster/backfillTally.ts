/** What is amiss in the namespaces that were examined, for gauges. Holds only the pods that nothing limits. */

export interface Figures {
  /** Running pods of opted-in namespaces without valid limits. */
  readonly unlimited: number
  /** Since when the oldest of them has been so, in milliseconds since 1970; absent where there is none. */
  readonly oldest?: number
  /** Pods with a value that is out of bounds or cannot be read. */
  readonly outOfBounds: number
}

export interface Tally {
  /** A namespace is counted anew. */
  reset(namespace: string): void
  addUnlimited(namespace: string, uid: string, since: number): void
  addOutOfBounds(namespace: string): void
  /** The pod carries its limits now, or is gone. */
  settle(namespace: string, uid: string): void
  readonly figures: Figures
}

interface Count {
  readonly unlimited: Map<string, number>
  outOfBounds: number
}

export function createTally(): Tally {
  const counts = new Map<string, Count>()
  const countOf = (namespace: string): Count => {
    const count = counts.get(namespace) ?? { unlimited: new Map<string, number>(), outOfBounds: 0 }
    counts.set(namespace, count)
    return count
  }
  return {
    reset(namespace) {
      counts.delete(namespace)
    },
    addUnlimited(namespace, uid, since) {
      countOf(namespace).unlimited.set(uid, since)
    },
    addOutOfBounds(namespace) {
      countOf(namespace).outOfBounds++
    },
    settle(namespace, uid) {
      counts.get(namespace)?.unlimited.delete(uid)
    },
    get figures() {
      return sum([...counts.values()])
    },
  }
}

function sum(counts: readonly Count[]): Figures {
  let [unlimited, outOfBounds, oldest] = [0, 0, Number.POSITIVE_INFINITY]
  for (const count of counts) {
    unlimited += count.unlimited.size
    outOfBounds += count.outOfBounds
    for (const since of count.unlimited.values()) oldest = Math.min(oldest, since)
  }
  return { unlimited, outOfBounds, ...(unlimited > 0 && { oldest }) }
}
