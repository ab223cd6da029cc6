/** Distributions as a table: count, median, 90th and 99th percentile, largest. */
export function formatDistribution(title: string, rows: Readonly<Record<string, readonly number[]>>): string {
  const table = Object.entries(rows).map(([name, values]) => [name, ...describe(values)])
  return [[title, 'count', 'median', 'p90', 'p99', 'max'], ...table].map((row) => formatRow(row)).join('\n')
}

function describe(values: readonly number[]): readonly string[] {
  const sorted = values.toSorted((a, b) => a - b)
  return [
    String(sorted.length),
    ...[0.5, 0.9, 0.99, 1].map((share) => findQuantile(sorted, share).toFixed(1)),
  ]
}

/** Of sorted values, the nearest rank; 0 where there is none. */
export const findQuantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0

const formatRow = ([name = '', ...cells]: readonly string[]): string =>
  name.padEnd(40) + cells.map((cell) => cell.padStart(9)).join('')
