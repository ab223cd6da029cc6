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
  const marks = [...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index)
  const starts = [...new Set([0, ...marks])]
  const pieces: Piece[] = []
  for (const [index, start] of starts.entries()) {
    const piece = { text: text.slice(start, starts[index + 1]), start }
    const last = pieces.at(-1)
    // A directive (`%YAML 1.2`) stands before the marker of the document that it is about.
    if (last !== undefined && isDirectives(last.text))
      pieces.splice(-1, 1, { ...last, text: last.text + piece.text })
    else pieces.push(piece)
  }
  return pieces
}

const isDirectives = (text: string): boolean =>
  text.includes('%') && text.split('\n').every((line) => /^(?:%.*|#.*|\s*)$/.test(line))

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
  return rest.trim() === '' ? pieces : [...pieces, { text: rest, start: start + begin }]
}
