/** Edits carried out on a text, in stretches of whole lines with nothing but unchanged ones between their changes. */
import type { Replacement } from './edit.ts'

export interface Stretch {
  readonly before: string
  readonly after: string
}

/** Lines that a diff shows before and behind a change. */
export const CONTEXT = 3

/** One behind the other they are the whole text; what changes far apart is far apart, so that a diff of each is short work. */
export function carryOut(source: string, replacements: readonly Replacement[]): readonly Stretch[] {
  const stretches: Stretch[] = []
  const parts: string[] = []
  let [begin, done] = [0, 0]
  const close = (end: number): void => {
    const after = parts.splice(0).join('') + source.slice(done, end)
    stretches.push({ before: source.slice(begin, end), after })
    begin = done = end
  }
  for (const { start, end, text } of replacements.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const room = findRoom(source.slice(done, start))
    if (room !== undefined) close(done + room)
    parts.push(source.slice(done, start), text)
    done = end
  }
  close(source.length)
  return stretches
}

/** Where a line begins with enough of others on either side; undefined where there are too few. */
function findRoom(between: string): number | undefined {
  const lines: number[] = []
  while (lines.length < 2 * CONTEXT + 2) {
    const end = between.indexOf('\n', lines.at(-1) ?? 0)
    if (end < 0) return undefined
    lines.push(end + 1)
  }
  return lines[CONTEXT]
}
