/** The histories of the pods that there are, by their keys. In memory alone: whoever leads next sees for itself before it decides. */
import { addReading, EMPTY_HISTORY, type History, type Reading } from './core/history.ts'

export interface Histories {
  /** Empty where nothing is known of the pod. */
  find(key: string): History
  /** `keep`: milliseconds, how far back anybody will ask. */
  add(key: string, reading: Reading, keep: number): void
  /** What was seen up to now, in milliseconds since 1970, counts no more: readings that begin before it neither. */
  cut(key: string, now: number): void
  /** Forgets every pod that `isThere` does not know. */
  retain(isThere: (key: string) => boolean): void
}

interface Entry {
  readonly history: History
  /** Milliseconds since 1970. */
  readonly from: number
}

const NOTHING: Entry = { history: EMPTY_HISTORY, from: 0 }

export function createHistories(): Histories {
  const entries = new Map<string, Entry>()
  return {
    find: (key) => (entries.get(key) ?? NOTHING).history,
    add(key, reading, keep) {
      const { history, from } = entries.get(key) ?? NOTHING
      if (reading.at - reading.seconds * 1000 < from) return
      entries.set(key, { history: addReading(history, reading, keep), from })
    },
    cut: (key, now) => void entries.set(key, { history: EMPTY_HISTORY, from: now }),
    retain(isThere) {
      for (const key of entries.keys()) if (!isThere(key)) entries.delete(key)
    },
  }
}
