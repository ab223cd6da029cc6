/** What was measured, as a table of ratios. Pure. */

/** One server under one load, the median of its rounds. */
export interface Row {
  readonly name: string
  readonly connections: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Microseconds of the server's processor time for each answer. */
  readonly cpu: number
  /** MiB, after the last round. */
  readonly rss: number
}

export const medianOf = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

const HEAD = [
  '| server | requests/s | of the floor | ours is | p50 ms | p99 ms | of the floor | CPU µs each | of the floor | RSS MiB | of the floor |',
  '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |',
]

/** Markdown; ratios to the row that is the floor, and of our row to each. */
export function formatTable(rows: readonly Row[], ours: string, floor: string): string {
  const own = rows.find(({ name }) => name === ours)
  const base = rows.find(({ name }) => name === floor)
  if (own === undefined || base === undefined)
    throw new TypeError(`neither ${ours} nor ${floor} may be missing`)
  const lines = rows.map((row) =>
    [
      row.name,
      row.perSecond.toFixed(0),
      ratio(row.perSecond, base.perSecond),
      `${ratio(own.perSecond, row.perSecond)}×`,
      row.p50.toFixed(2),
      row.p99.toFixed(2),
      ratio(row.p99, base.p99),
      row.cpu.toFixed(0),
      ratio(row.cpu, base.cpu),
      row.rss.toFixed(0),
      ratio(row.rss, base.rss),
    ].join(' | '),
  )
  return [...HEAD, ...lines.map((line) => `| ${line} |`)].join('\n')
}

const ratio = (a: number, b: number): string => (a / b).toFixed(2)
