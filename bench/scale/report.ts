/** Phases and what follows from them, as tables. Pure. */
import { formatMarkdown } from '../cluster/markdown.ts'
import type { Line, Phase } from './paper.ts'

export function formatPhases(phases: readonly Phase[]): string {
  const rows = phases.map(({ name, seconds, enforcers, webhook, objects, rss, slowest }) => [
    name,
    seconds.toFixed(1),
    String(objects),
    ...[enforcers, webhook].flatMap(({ calls, down, up }) => [
      (calls / seconds).toFixed(1),
      (down / seconds / 1000).toFixed(1),
      (up / seconds / 1000).toFixed(1),
    ]),
    rss.toFixed(0),
    slowest.toFixed(0),
  ])
  return formatMarkdown(HEAD, rows)
}

const HEAD = [
  'phase',
  's',
  'objects',
  'enforcers: calls/s',
  'to them kB/s',
  'from them kB/s',
  'webhook: calls/s',
  'to it kB/s',
  'from it kB/s',
  'its RSS MiB, at most',
  'slowest review ms',
]

/** The same lines for each size, side by side. */
export function formatPaper(sizes: ReadonlyMap<string, readonly Line[]>): string {
  const [first = []] = sizes.values()
  const rows = first.map(({ what, unit }, index) => [
    unit === '' ? what : `${what}, ${unit}`,
    ...[...sizes.values()].map((lines) => formatValue(lines[index]?.value ?? Number.NaN)),
  ])
  return formatMarkdown(['', ...sizes.keys()], rows)
}

/** Two figures, and all before the point. */
const formatValue = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toPrecision(2))
