/** Files with changed annotations or labels: by edits of the text where they hold, else printed anew. */
import { isDeepStrictEqual } from 'node:util'
import { DUMP_SCHEMA, dump } from 'js-yaml'
import { type MetadataEdit, planEdit, type Replacement } from './edit.ts'
import { isFields } from './objects.ts'
import { type Document, parsePiece } from './parse.ts'
import type { Path } from './path.ts'
import { intTag } from './scalars.ts'
import type { Piece } from './split.ts'
import { carryOut, type Stretch } from './stretches.ts'
import { readTrees } from './tree.ts'

/** An edit of one of a piece's documents. */
export interface DocumentEdit extends MetadataEdit {
  readonly index: number
}

export interface PatchedPiece {
  /** Together the whole text. */
  readonly stretches: readonly Stretch[]
  /** Printed anew: comments and spelling of the source are lost. */
  readonly anew: boolean
}

/**
 * The text is never believed: it is parsed again, and has to say just what was decided, and all else as before. `known` are
 * documents of the piece that have been read already.
 */
export function patchPiece(
  piece: Piece,
  edits: readonly DocumentEdit[],
  known: readonly Document[] = [],
): PatchedPiece {
  if (edits.length === 0) return { stretches: [{ before: piece.text, after: piece.text }], anew: false }
  const isKnown = readTrees(piece.text).length === known.length
  const before = isKnown ? known : parsePiece(piece).documents
  const expected = before.map(({ value, index }) =>
    changeValue(
      value,
      edits.filter((edit) => edit.index === index),
    ),
  )
  const stretches = editText(piece.text, edits)
  if (stretches !== undefined) {
    const text = joinStretches(stretches)
    const after = parsePiece({ text, start: 0 }).documents.map(({ value }) => value)
    if (isDeepStrictEqual(after, expected)) return { stretches, anew: false }
  }
  return { stretches: [{ before: piece.text, after: printAnew(piece.text, expected) }], anew: true }
}

export const joinStretches = (stretches: readonly Stretch[]): string =>
  stretches.map(({ after }) => after).join('')

function editText(source: string, edits: readonly DocumentEdit[]): readonly Stretch[] | undefined {
  const trees = readTrees(source)
  const replacements: Replacement[] = []
  for (const edit of edits) {
    const tree = trees[edit.index]
    const planned = tree && planEdit(source, tree, edit)
    if (planned === undefined) return undefined
    replacements.push(...planned)
  }
  return carryOut(source, replacements)
}

/** The value with all edits; what an alias shares stays as it is elsewhere, so each thing on the way is copied, but once. */
function changeValue(value: unknown, edits: readonly MetadataEdit[]): unknown {
  const root = { value }
  const copies = new Set<unknown>([root])
  for (const { object, map, set, remove } of edits) {
    const path: Path = ['value', ...object, 'metadata', map]
    const annotations = path.reduce<object>((parent, step) => {
      const found: unknown = Reflect.get(parent, step)
      if (typeof found === 'object' && found !== null && copies.has(found)) return found
      const copy = Array.isArray(found) ? Array.from<unknown>(found) : { ...(isFields(found) && found) }
      copies.add(copy)
      Reflect.set(parent, step, copy)
      return copy
    }, root)
    for (const key of remove) Reflect.deleteProperty(annotations, key)
    Object.assign(annotations, set)
  }
  return root.value
}

function printAnew(source: string, values: readonly unknown[]): string {
  const schema = DUMP_SCHEMA.withTags(intTag)
  const texts = values.map((value) => dump(value, { schema, noRefs: true, lineWidth: -1 }))
  return `${/^---/.test(source) ? '---\n' : ''}${texts.join('---\n')}`
}
