import type { ManifestObject } from './objects.ts'
import type { Document } from './parse.ts'
import { type Path, parsePath } from './path.ts'
import { type Mark, markIn } from './position.ts'
import { readTrees, type Tree } from './tree.ts'

/** Where the key of a field of an object stands in its file; the nearest thing around it where the source has no such key. */
export interface Spot {
  readonly file: string
  readonly mark: Mark
}

/** `field` as problems write it; empty for the object itself. */
export const spotOf = (object: ManifestObject, field: string): Spot => spotAt(object, parsePath(field))

export function spotAt(object: ManifestObject, path: Path): Spot {
  const { file, document } = object
  const whole = [...object.path, ...path]
  const offset = whole.length === 0 ? document.start : findOffset(document, whole)
  return { file: file.name, mark: markIn(file, document.piece.start + offset) }
}

function findOffset({ piece, index, start }: Document, path: Path): number {
  const tree = readTrees(piece.text)[index]
  return tree === undefined ? start : findStart(tree, path)
}

/** As far down the path as the source goes; through an alias it does not. */
function findStart(tree: Tree, path: Path): number {
  let [part, start] = [tree, tree.start]
  for (const step of path) {
    if (part.kind === 'mapping') {
      const entry = part.entries.find(({ name }) => name === step)
      if (entry === undefined) return start
      ;[part, start] = [entry.value, entry.key.start]
    } else {
      const item = part.kind === 'sequence' && typeof step === 'number' ? part.items[step] : undefined
      if (item === undefined) return start
      ;[part, start] = [item, item.start]
    }
  }
  return start
}
