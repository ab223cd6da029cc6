/** Lines and columns of a YAML text, and maps written such that they fit in. */

/** A value that is inserted: a text, or a map. */
export type Inserted = string | InsertedMap

export interface InsertedMap {
  readonly [key: string]: Inserted
}

export interface Layout {
  /** Columns before a key. */
  readonly indent: number
  readonly newline: string
}

/** How the map is written whose first key stands there. */
export const layoutAt = (source: string, at: number): Layout => ({
  indent: at - lineStart(source, at),
  newline: newlineAt(source, at),
})

/** How the line ends; the last one as the one before it. */
export function newlineAt(source: string, at: number): string {
  const next = source.indexOf('\n', at)
  const end = next < 0 ? source.lastIndexOf('\n', at) : next
  return end > 0 && source[end - 1] === '\r' ? '\r\n' : '\n'
}

export const lineStart = (source: string, at: number): number => source.lastIndexOf('\n', at - 1) + 1

/** Behind the line's break; a block scalar ends there already. */
export function lineEnd(source: string, at: number): number {
  if (at > 0 && source[at - 1] === '\n') return at
  const end = source.indexOf('\n', at)
  return end < 0 ? source.length : end + 1
}

export function formatBlock(map: InsertedMap, { indent, newline }: Layout): string {
  return Object.entries(map)
    .map(([key, value]) => {
      const head = `${' '.repeat(indent)}${formatKey(key)}:`
      return typeof value === 'string'
        ? `${head} ${JSON.stringify(value)}${newline}`
        : `${head}${newline}${formatBlock(value, { indent: indent + 2, newline })}`
    })
    .join('')
}

export const formatKey = (key: string): string => (/^[A-Za-z][\w./-]*$/.test(key) ? key : JSON.stringify(key))

export const formatFlow = (value: Inserted, quoted: boolean): string =>
  typeof value === 'string' ? JSON.stringify(value) : `{${formatFlowEntries(value, quoted).join(', ')}}`

/** Without the brackets; keys in quotes where that is asked for, as JSON needs them. */
export const formatFlowEntries = (map: InsertedMap, quoted: boolean): readonly string[] =>
  Object.entries(map).map(
    ([key, inner]) => `${quoted ? JSON.stringify(key) : formatKey(key)}: ${formatFlow(inner, quoted)}`,
  )
