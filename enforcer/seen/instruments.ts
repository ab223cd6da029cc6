/** Counters and histograms: what only grows. */
import type { Family, Labels, Series } from './exposition.ts'

type Described = Pick<Family, 'name' | 'help'>

export interface Counter {
  readonly inc: (labels?: Labels) => void
  readonly read: () => Family
}

/** Without labels it starts at 0; with some, each set of values from its first time on. */
export function createCounter(described: Described, labelled = false): Counter {
  const counts = createBook(() => ({ count: 0 }))
  if (!labelled) counts.of({})
  return {
    inc: (labels = {}) => {
      counts.of(labels).count += 1
    },
    read: () => ({
      ...described,
      type: 'counter',
      series: counts.entries().map(({ labels, value }) => ({ labels, value: value.count })),
    }),
  }
}

export interface Histogram {
  readonly observe: (seconds: number, labels?: Labels) => void
  readonly read: () => Family
}

/** Upper bounds, in seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export function createHistogram(described: Described): Histogram {
  const books = createBook(() => ({ counts: BOUNDS.map(() => 0), sum: 0, count: 0 }))
  return {
    observe: (seconds, labels = {}) => {
      const book = books.of(labels)
      const index = BOUNDS.findIndex((bound) => seconds <= bound)
      if (index !== -1) book.counts[index] = (book.counts[index] ?? 0) + 1
      book.sum += seconds
      book.count += 1
    },
    read: () => ({
      ...described,
      type: 'histogram',
      series: books.entries().flatMap(({ labels, value }) => formatBuckets(labels, value)),
    }),
  }
}

interface Observed {
  readonly counts: readonly number[]
  readonly sum: number
  readonly count: number
}

function formatBuckets(labels: Labels, { counts, sum, count }: Observed): readonly Series[] {
  let below = 0
  const buckets = BOUNDS.map((bound, index): Series => {
    below += counts[index] ?? 0
    return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...buckets,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]
}

/** A value for each set of labels. */
function createBook<T>(create: () => T) {
  const values = new Map<string, { readonly labels: Labels; readonly value: T }>()
  return {
    of: (labels: Labels): T => {
      const key = Object.values(labels).join('\n')
      const known = values.get(key) ?? { labels, value: create() }
      values.set(key, known)
      return known.value
    },
    entries: () => [...values.values()],
  }
}
