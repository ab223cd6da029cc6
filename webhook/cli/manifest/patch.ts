/** Files with changed annotations or labels: by edits of the text where they hold, else printed anew. */
import { isDeepStrictEqual } from 'node:util'
import { DUMP_SCHEMA, dump } from 'js-yaml'
import { type MetadataEdit, planEdit, type Replacement } from './edit.ts'
import { isFields } from './objects.ts'
import { parsePiece } from './parse.ts'
import type { Path } from './path.ts'
import { intTag } from './scalars.ts'
import type { Piece } from './split.ts'
import { readTrees } from './tree.ts'

/** An edit of one of a piece's documents. */
export interface DocumentEdit extends MetadataEdit {
  readonly index: number
}

export interface PatchedPiece {
  readonly text: string
  /** Printed anew: comments and spelling of the source are lost. */
  readonly anew: boolean
}

/** The text is never believed: it is parsed again, and has to say just what was decided, and all else as before. */
export function patchPiece(piece: Piece, edits: readonly DocumentEdit[]): PatchedPiece {
  if (edits.length === 0) return { text: piece.text, anew: false }
  const before = parsePiece(piece).documents
  const expected = before.map(({ value, index }) =>
    edits.filter((edit) => edit.index === index).reduce(changeValue, value),
  )
  const text = editText(piece.text, edits)
  if (text !== undefined) {
    const after = parsePiece({ text, start: 0 }).documents.map(({ value }) => value)
    if (isDeepStrictEqual(after, expected)) return { text, anew: false }
  }
  return { text: printAnew(piece.text, expected), anew: true }
}

function editText(source: string, edits: readonly DocumentEdit[]): string | undefined {
  const trees = readTrees(source)
  const replacements: Replacement[] = []
  for (const edit of edits) {
    const tree = trees[edit.index]
    const planned = tree && planEdit(source, tree, edit)
    if (planned === undefined) return undefined
    replacements.push(...planned)
  }
  return replacements
    .sort((a, b) => b.start - a.start || b.end - a.end)
    .reduce((text, { start, end, text: added }) => text.slice(0, start) + added + text.slice(end), source)
}

const changeValue = (value: unknown, { object, map, set, remove }: MetadataEdit): unknown =>
  updateAt(value, [...object, 'metadata', map], (found) => {
    const kept = Object.entries(isFields(found) ? found : {})
    return { ...Object.fromEntries(kept.filter(([key]) => !remove.includes(key))), ...set }
  })

/** Copies along the path only: what an alias shares stays as it is elsewhere. */
function updateAt(value: unknown, path: Path, update: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return update(value)
  if (Array.isArray(value) && typeof step === 'number')
    return value.with(step, updateAt(value[step], rest, update))
  const map = isFields(value) ? value : {}
  return { ...map, [step]: updateAt(map[step], rest, update) }
}

function printAnew(source: string, values: readonly unknown[]): string {
  const schema = DUMP_SCHEMA.withTags(intTag)
  const texts = values.map((value) => dump(value, { schema, noRefs: true, lineWidth: -1 }))
  return `${/^---/.test(source) ? '---\n' : ''}${texts.join('---\n')}`
}
