/** A place in a text: both count from 1, columns in UTF-16 units. */
export interface Mark {
  readonly line: number
  readonly column: number
}

/** Files by identity, with where each line of them begins. */
const KNOWN = new WeakMap<{ readonly text: string }, readonly number[]>()

export function markIn(file: { readonly text: string }, offset: number): Mark {
  const starts = KNOWN.get(file) ?? findLineStarts(file.text)
  KNOWN.set(file, starts)
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
}

function findLineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
