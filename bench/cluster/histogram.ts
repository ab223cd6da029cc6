/** Metrics of an API server, as text, to what a bench asks of them. Pure. Format: https://prometheus.io/docs/instrumenting/exposition_formats/ */

export type Labels = Readonly<Record<string, string>>

/** Since the server's start, or between two looks. An API server's buckets are too wide for more than a mean. */
export interface Histogram {
  readonly count: number
  readonly sum: number
}

/** All series of the name whose labels have these values, as one. */
export const readHistogram = (text: string, name: string, labels: Labels): Histogram => ({
  count: addUp(text, `${name}_count`, labels),
  sum: addUp(text, `${name}_sum`, labels),
})

/** The sum of all samples of the name whose labels have these values; 0 where there is none. */
export const addUp = (text: string, name: string, labels: Labels = {}): number =>
  findSamples(text, name, labels).reduce((sum, { value }) => sum + value, 0)

/** What came between two looks. */
export const findDifference = (before: Histogram, after: Histogram): Histogram => ({
  count: after.count - before.count,
  sum: after.sum - before.sum,
})

/** NaN of nothing. */
export const findMean = ({ count, sum }: Histogram): number => sum / count

interface MetricSample {
  readonly labels: Labels
  readonly value: number
}

function findSamples(text: string, name: string, wanted: Labels): readonly MetricSample[] {
  const line = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, 'gm')
  return [...text.matchAll(line)]
    .map(([, labels = '', value]) => ({ labels: parseLabels(labels), value: Number(value) }))
    .filter(({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value))
}

const parseLabels = (text: string): Labels =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, name = '', value = '']) => [name, value] as const,
    ),
  )
