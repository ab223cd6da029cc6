/**
 * Metrics as text. A library for this takes 9 MB of a program that is to stay below 64; the format takes a page.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export type Labels = Readonly<Record<string, string>>

export interface Series {
  /** A text is what stands between the braces already. */
  readonly labels?: Labels | string
  readonly value: number | bigint
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string
}

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Read once. */
  readonly series: Iterable<Series>
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** UTF-16 units: a full node's metrics are 800 KB, which are never in memory as a whole. */
const PIECE = 16_384

/** The text in pieces, each made when it is asked for. */
export function* formatFamilies(families: Iterable<Family>): Generator<string> {
  let piece = ''
  for (const line of formatLines(families)) {
    piece += line
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  yield piece
}

function* formatLines(families: Iterable<Family>): Generator<string> {
  for (const { name, help, type, series } of families) {
    yield `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`
    for (const { labels = '', value, suffix = '' } of series) {
      const pairs = typeof labels === 'string' ? labels : formatLabels(labels)
      yield pairs === '' ? `${name}${suffix} ${value}\n` : `${name}${suffix}{${pairs}} ${value}\n`
    }
  }
}

export const formatLabels = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',')

const escapeValue = (value: string): string =>
  /[\\"\n]/.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value
