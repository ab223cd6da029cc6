/** What a webhook adds to the creation of a pod, as a table of ratios. Pure. */
import { formatMarkdown } from '../cluster/markdown.ts'
import { medianOf } from '../webhook/table.ts'

/** One round of one way. */
export interface Round {
  readonly way: string
  readonly clients: number
  /** Milliseconds by the API server: of a whole POST, and of all calls of webhooks within one. */
  readonly post: number
  readonly called: number
  /** Milliseconds by the clients. */
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
}

/** The ways in their order, medians of their rounds; each added figure also as a ratio to that of the way that `floors` names for it. */
export function formatRounds(
  rounds: readonly Round[],
  none: string,
  floors: ReadonlyMap<string, string>,
): string {
  const find = (way: string, pick: (round: Round) => number): number =>
    medianOf(rounds.filter((round) => round.way === way).map(pick))
  const post = (way: string): number => find(way, (round) => round.post)
  const called = (way: string): number => find(way, (round) => round.called)
  const rows = [...new Set(rounds.map(({ way }) => way))].map((way) => {
    const floor = floors.get(way)
    return [
      way,
      post(way).toFixed(2),
      (post(way) / post(none)).toFixed(2),
      way === none ? '' : (post(way) - post(none)).toFixed(2),
      way === none ? '' : called(way).toFixed(2),
      floor === undefined ? '' : (called(way) / called(floor)).toFixed(2),
      ...[find(way, ({ p50 }) => p50), find(way, ({ p99 }) => p99)].map((value) => value.toFixed(2)),
      find(way, ({ perSecond }) => perSecond).toFixed(0),
    ]
  })
  return formatMarkdown(HEAD, rows)
}

const HEAD = [
  'way',
  'a POST, ms',
  'of no webhook',
  'more, ms',
  'calls in it, ms',
  'of the floor',
  'client p50 ms',
  'client p99 ms',
  'pods/s',
]
