/** Writes the text format of Prometheus, as its client libraries do. */
import * as fc from 'fast-check'

export interface WrittenSample {
  readonly name: string
  readonly labels: readonly (readonly [string, string])[]
  readonly value: number
  readonly timestamp: number | undefined
  readonly exemplar:
    | {
        readonly labels: readonly (readonly [string, string])[]
        readonly value: number
        readonly at: number | undefined
      }
    | undefined
}

const escapeValue = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

export const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

/** As Go formats floats in metrics. */
export const writeFloat = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'

function writeLabels(labels: WrittenSample['labels'], blank: string, comma: string): string {
  const pairs = labels.map(
    ([name, value]) => `${blank}${name}${blank}=${blank}"${escapeValue(value)}"${blank}`,
  )
  return `{${pairs.join(',')}${pairs.length > 0 ? comma : ''}${blank}}`
}

export interface Style {
  /** What stands where nothing has to. */
  readonly blank: string
  /** After the last label. */
  readonly comma: string
  /** `{}` where there are no labels. */
  readonly braces: boolean
}

/** One line without its end; times in milliseconds, those of exemplars in seconds. */
export function writeSample(sample: WrittenSample, { blank, comma, braces }: Style): string {
  const { name, labels, value, timestamp, exemplar } = sample
  const shown = labels.length > 0 || braces ? writeLabels(labels, blank, comma) : ''
  const time = timestamp === undefined ? '' : ` ${timestamp}`
  const behind =
    exemplar === undefined
      ? ''
      : ` # ${writeLabels(exemplar.labels, blank, comma)} ${writeFloat(exemplar.value)}${exemplar.at === undefined ? '' : ` ${exemplar.at}`}`
  return `${blank}${name}${blank}${shown} ${blank}${writeFloat(value)}${time}${behind}${blank}`
}

export const NAMES = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/)
const LABEL_NAMES = fc.oneof(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,12}$/), fc.constant('__proto__'))
const VALUES = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', '#', ' '), maxLength: 12 }),
)
export const LABELS = fc.uniqueArray(fc.tuple(LABEL_NAMES, VALUES), {
  selector: ([name]) => name,
  maxLength: 6,
})
export const FLOATS = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0))

export const SAMPLES: fc.Arbitrary<WrittenSample> = fc.record({
  name: NAMES,
  labels: LABELS,
  value: FLOATS,
  timestamp: fc.option(fc.integer(), { nil: undefined }),
  exemplar: fc.option(
    fc.record({ labels: LABELS, value: FLOATS, at: fc.option(fc.integer(), { nil: undefined }) }),
    { nil: undefined },
  ),
})

export const STYLES: fc.Arbitrary<Style> = fc.record({
  blank: fc.constantFrom('', ' ', '\t', ' \t '),
  comma: fc.constantFrom('', ','),
  braces: fc.boolean(),
})
