/** Files to the Kubernetes objects in them. */
import type { Document } from './parse.ts'
import { parseManifest } from './parse.ts'
import type { Path } from './path.ts'
import { type Mark, markIn } from './position.ts'

/** A file that was read. */
export interface SourceFile {
  /** As it was named: `manifests/db.yaml`, `-` for standard input. */
  readonly name: string
  readonly text: string
}

export type Fields = Readonly<Record<string, unknown>>

/** One object of a file; the items of a List are objects of their own. */
export interface ManifestObject {
  readonly file: SourceFile
  readonly document: Document
  /** From the document's root. */
  readonly path: Path
  readonly value: Fields
}

/** Something in the input that cannot be read, or that the rest cannot be judged without. */
export interface Fault {
  readonly file?: string
  readonly mark?: Mark
  /** What is wrong and what to do, as one sentence. */
  readonly message: string
}

export interface ReadObjects {
  readonly objects: readonly ManifestObject[]
  readonly faults: readonly Fault[]
}

export function readObjects(file: SourceFile): ReadObjects {
  const { documents, faults } = parseManifest(file.text)
  const found = documents.map((document) => findObjects(file, document))
  return {
    objects: found.flatMap(({ objects }) => objects),
    faults: [
      ...faults.map(({ offset, reason, cure }) => ({
        file: file.name,
        mark: markIn(file, offset),
        message: `${reason}; ${cure}`,
      })),
      ...found.flatMap((read) => read.faults),
    ],
  }
}

function findObjects(file: SourceFile, document: Document): ReadObjects {
  if (isFields(document.value))
    return { objects: listItems({ file, document, path: [], value: document.value }), faults: [] }
  // Lists of other tools lie beside manifests (Ansible, CI): those are no affair of ours.
  if (Array.isArray(document.value) && !document.value.some(isObject)) return { objects: [], faults: [] }
  const mark = markIn(file, document.piece.start)
  const message =
    'the document is not an object; write apiVersion, kind and metadata (and a List for several)'
  return { objects: [], faults: [{ file: file.name, mark, message }] }
}

const isObject = (value: unknown): boolean => isFields(value) && 'apiVersion' in value && 'kind' in value

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `List`, `PodList`, ...: its items, those of lists in it too; any other object is itself. */
function listItems(object: ManifestObject): readonly ManifestObject[] {
  const { kind, items } = object.value
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [object]
  return items.flatMap((value: unknown, index) => {
    if (!isFields(value)) return []
    // The items of a PodList say nothing of what they are.
    const named =
      kind === 'List' || 'kind' in value
        ? value
        : { apiVersion: object.value['apiVersion'], kind: kind.slice(0, -4), ...value }
    return listItems({ ...object, path: [...object.path, 'items', index], value: named })
  })
}
