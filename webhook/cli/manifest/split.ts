/** A part of a file that holds one document. */
export interface Piece {
  readonly text: string
  /** Characters of the file before it. */
  readonly start: number
}

/**
 * The documents of a YAML stream, cut before the lines that begin with `---`, much as kubectl cuts them
 * (k8s.io/apimachinery/pkg/util/yaml): so a huge file is read piece by piece, and a mistake spoils one document only.
 */
export function splitDocuments(text: string): readonly Piece[] {
  const starts = [0, ...[...text.matchAll(MARKER)].map(({ index }) => index)]
  return [...new Set(starts)].map((start, index, all) => ({ text: text.slice(start, all[index + 1]), start }))
}

/**
 * With the directives (`%YAML 1.2`) of the document that it begins. The beginning of a line is not `^`, which takes U+2028 for
 * the end of one.
 */
const MARKER = /(?<![^\r\n])(?:%[^\n]*\n(?:[%#][^\n]*\n|\s*\n)*)?---(?!\S)/g

/** Objects of JSON one behind the other, as `jq` prints them: one piece each. */
export function splitObjects({ text, start }: Piece): readonly Piece[] {
  const pieces: Piece[] = []
  let [depth, begin] = [0, 0]
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') depth += 1
    if (token !== '}') continue
    depth -= 1
    if (depth > 0) continue
    pieces.push({ text: text.slice(begin, index + 1), start: start + begin })
    begin = index + 1
  }
  const rest = text.slice(begin)
  const last = pieces.at(-1)
  if (rest.trim() !== '' || last === undefined) return [...pieces, { text: rest, start: start + begin }]
  return pieces.with(-1, { ...last, text: last.text + rest })
}
