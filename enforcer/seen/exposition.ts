/**
 * Metrics as text. A library for this takes 9 MB of a program that is to stay below 64; the format takes a page.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export type Labels = Readonly<Record<string, string>>

export interface Series {
  readonly labels?: Labels
  readonly value: number
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string
}

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: readonly Series[]
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export const formatFamilies = (families: readonly Family[]): string => families.map(formatFamily).join('')

const formatFamily = ({ name, help, type, series }: Family): string =>
  [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
    ...series.map(({ labels, value, suffix = '' }) => `${name}${suffix}${formatLabels(labels)} ${value}`),
    '',
  ].join('\n')

function formatLabels(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeValue = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
