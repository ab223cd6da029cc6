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
  newline: newlineOf(source),
})

export const newlineOf = (source: string): string => (source.includes('\r\n') ? '\r\n' : '\n')

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

export const formatFlow = (value: Inserted): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : `{${Object.entries(value)
        .map(([key, inner]) => `${JSON.stringify(key)}: ${formatFlow(inner)}`)
        .join(', ')}}`
