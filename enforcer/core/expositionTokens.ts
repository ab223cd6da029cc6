/** The words of an exposition line: names, labels and what stands between blanks. */

/** Where reading has come to in a line. */
export interface Cursor {
  readonly text: string
  at: number
}

export const createCursor = (text: string): Cursor => ({ text, at: 0 })

export function readBlanks(cursor: Cursor): void {
  while (cursor.text[cursor.at] === ' ' || cursor.text[cursor.at] === '\t') cursor.at += 1
}

const METRIC = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y
const QUOTED = /"[^"\\]*(?:\\.[^"\\]*)*"/suy
const TOKEN = /[^ \t]+/y

/** Up to the next blank; empty where there is none to read. */
export const readToken = (cursor: Cursor): string => readMatch(cursor, TOKEN) ?? ''

/** A metric's name, plain or in quotes (Prometheus 3: any UTF-8); undefined where there is none. */
export const readName = (cursor: Cursor): string | undefined =>
  cursor.text[cursor.at] === '"' ? readQuoted(cursor) : readMatch(cursor, METRIC)

export interface Head {
  /** Where it stands among the labels: `{"name with.dots",a="b"}`. */
  readonly name?: string
  readonly labels: ReadonlyMap<string, string>
}

/** `{a="b",c="d",}`, or none; a text is what is wrong with them. */
export function readLabels(cursor: Cursor, mayName: boolean): Head | string {
  const labels = new Map<string, string>()
  if (cursor.text[cursor.at] !== '{') return { labels }
  cursor.at += 1
  let name: string | undefined
  for (readBlanks(cursor); cursor.text[cursor.at] !== '}'; readBlanks(cursor)) {
    const pair = readPair(cursor)
    if (typeof pair === 'string') return pair
    if (pair.value !== undefined) {
      if (labels.has(pair.name)) return `has the label ${JSON.stringify(pair.name)} twice`
      labels.set(pair.name, pair.value)
    } else if (mayName && name === undefined) name = pair.name
    else return `has a label without a value: ${JSON.stringify(pair.name)}`
    readBlanks(cursor)
    if (cursor.text[cursor.at] === ',') cursor.at += 1
    else if (cursor.text[cursor.at] !== '}') return 'has labels that do not end'
  }
  cursor.at += 1
  return { labels, ...(name !== undefined && { name }) }
}

interface Pair {
  readonly name: string
  /** Undefined: it is the metric's name. */
  readonly value?: string
}

/** As nearly every label is written: nothing to undo, no blanks. */
const PLAIN_PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"/y

function readPair(cursor: Cursor): Pair | string {
  PLAIN_PAIR.lastIndex = cursor.at
  const [plain, label = '', text = ''] = PLAIN_PAIR.exec(cursor.text) ?? []
  if (plain === undefined) return readAnyPair(cursor)
  cursor.at += plain.length
  return { name: label, value: text }
}

function readAnyPair(cursor: Cursor): Pair | string {
  const isQuoted = cursor.text[cursor.at] === '"'
  const name = isQuoted ? readQuoted(cursor) : readMatch(cursor, LABEL)
  if (name === undefined) return 'has a label without a name'
  readBlanks(cursor)
  if (cursor.text[cursor.at] !== '=')
    return isQuoted ? { name } : `has a label without a value: ${JSON.stringify(name)}`
  cursor.at += 1
  readBlanks(cursor)
  const value = readQuoted(cursor)
  return value === undefined
    ? `has a label whose value is not in quotes: ${JSON.stringify(name)}`
    : { name, value }
}

/** Between quotes, `\\`, `\"` and `\n` undone; other backslashes stand for themselves, as in Prometheus. */
function readQuoted(cursor: Cursor): string | undefined {
  const raw = readMatch(cursor, QUOTED)
  const text = raw?.slice(1, -1)
  if (!text?.includes('\\')) return text
  return text.replaceAll(/\\[\\n"]/g, (escape) => (escape === '\\n' ? '\n' : escape.slice(1)))
}

/** What the pattern (sticky) finds right here. */
function readMatch(cursor: Cursor, pattern: RegExp): string | undefined {
  Object.assign(pattern, { lastIndex: cursor.at })
  const [found] = pattern.exec(cursor.text) ?? []
  if (found !== undefined) cursor.at += found.length
  return found
}
