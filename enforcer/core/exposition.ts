/**
 * The text format of Prometheus, line by line; exemplars, and times in seconds, are OpenMetrics'.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import { type Cursor, createCursor, readBlanks, readLabels, readName, readToken } from './expositionTokens.ts'

export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  /** NaN and the infinities included. */
  readonly value: number
  /** Milliseconds since 1970. */
  readonly timestamp?: number
  readonly exemplar?: Exemplar
}

export interface Exemplar {
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
  /** Milliseconds since 1970. */
  readonly timestamp?: number
}

export type ExpositionLine =
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'help' | 'type' | 'unit'; readonly name: string; readonly text: string }
  /** Blank, a comment, or of a metric that nobody wants. */
  | { readonly kind: 'nothing' }
  /** `reason`, as the end of a sentence: `has no value`. */
  | { readonly kind: 'mistake'; readonly reason: string }

/** `text`: times are whole milliseconds. `openmetrics`: they are seconds. */
export type Dialect = 'text' | 'openmetrics'

export interface ExpositionOptions {
  readonly dialect?: Dialect
  /** Samples of other names are passed over before their labels are read. */
  readonly wants?: (name: string) => boolean
}

const NOTHING = { kind: 'nothing' } as const

/** One line, without its end. */
export function parseExpositionLine(line: string, options: ExpositionOptions = {}): ExpositionLine {
  const cursor = createCursor(line)
  readBlanks(cursor)
  if (cursor.at === line.length) return NOTHING
  return line[cursor.at] === '#' ? parseComment(cursor) : parseSample(cursor, options)
}

const KINDS = { HELP: 'help', TYPE: 'type', UNIT: 'unit' } as const

const TYPES: ReadonlySet<string> = new Set([
  ...['counter', 'gauge', 'histogram', 'summary', 'untyped'],
  ...['unknown', 'info', 'stateset', 'gaugehistogram'],
])

function parseComment(cursor: Cursor): ExpositionLine {
  cursor.at += 1
  readBlanks(cursor)
  const word = readToken(cursor)
  if (word !== 'HELP' && word !== 'TYPE' && word !== 'UNIT') return NOTHING
  readBlanks(cursor)
  const name = readName(cursor)
  if (name === undefined) return mistake(`is a ${word} line without the name of a metric`)
  readBlanks(cursor)
  const rest = cursor.text.slice(cursor.at)
  if (word === 'HELP') return { kind: 'help', name, text: unescapeHelp(rest) }
  const text = rest.trimEnd()
  if (word === 'TYPE' && !TYPES.has(text)) return mistake(`is a TYPE line of no known type`)
  return { kind: KINDS[word], name, text }
}

const unescapeHelp = (text: string): string =>
  text.replaceAll(/\\[\\n"]/g, (escape) => (escape === '\\n' ? '\n' : escape.slice(1)))

function parseSample(cursor: Cursor, { dialect = 'text', wants }: ExpositionOptions): ExpositionLine {
  const before = readName(cursor)
  if (before !== undefined && wants?.(before) === false) return NOTHING
  readBlanks(cursor)
  const head = readLabels(cursor, before === undefined)
  if (typeof head === 'string') return mistake(head)
  const name = before ?? head.name
  if (name === undefined) return mistake('does not begin with the name of a metric')
  if (wants?.(name) === false) return NOTHING
  const measured = readMeasured(cursor, dialect)
  if (typeof measured === 'string') return mistake(measured)
  const exemplar = readExemplar(cursor)
  if (typeof exemplar === 'string') return mistake(exemplar)
  if (cursor.at < cursor.text.length) return mistake('goes on after its time')
  const sample = { name, labels: head.labels, ...measured, ...(exemplar && { exemplar }) }
  return { kind: 'sample', sample }
}

interface Measured {
  readonly value: number
  readonly timestamp?: number
}

/** Value, and a time where there is one; a text is what is wrong. */
function readMeasured(cursor: Cursor, dialect: Dialect): Measured | string {
  readBlanks(cursor)
  const word = readToken(cursor)
  if (word === '') return 'has no value'
  const value = parseFloatText(word)
  if (value === undefined) return `has a value that is no number: ${JSON.stringify(word)}`
  readBlanks(cursor)
  const time = cursor.text[cursor.at] === '#' ? '' : readToken(cursor)
  readBlanks(cursor)
  if (time === '') return { value }
  const timestamp = parseTime(time, dialect)
  return timestamp === undefined ? `has a time that is none: ${JSON.stringify(time)}` : { value, timestamp }
}

function readExemplar(cursor: Cursor): Exemplar | string | undefined {
  if (cursor.text[cursor.at] !== '#') return undefined
  cursor.at += 1
  readBlanks(cursor)
  if (cursor.text[cursor.at] !== '{') return 'has an exemplar without labels'
  const head = readLabels(cursor, false)
  if (typeof head === 'string') return head
  const measured = readMeasured(cursor, 'openmetrics')
  return typeof measured === 'string'
    ? `has an exemplar that ${measured}`
    : { labels: head.labels, ...measured }
}

/** As Go's strconv.ParseFloat takes it, without hexadecimal digits, as Prometheus does. */
export function parseFloatText(text: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text)
  if (/^[+-]?nan$/i.test(text)) return Number.NaN
  const [, sign] = /^([+-]?)inf(?:inity)?$/i.exec(text) ?? []
  if (sign === undefined) return undefined
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

function parseTime(text: string, dialect: Dialect): number | undefined {
  if (dialect === 'text') return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
  const seconds = parseFloatText(text)
  return seconds === undefined || !Number.isFinite(seconds) ? undefined : seconds * 1000
}

const mistake = (reason: string): ExpositionLine => ({ kind: 'mistake', reason })
