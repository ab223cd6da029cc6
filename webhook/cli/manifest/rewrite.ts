/** Whole files with edits of their documents carried out. */
import type { SourceFile } from './objects.ts'
import type { Document } from './parse.ts'
import { type DocumentEdit, joinStretches, type PatchedPiece, patchPiece } from './patch.ts'
import { type Piece, splitDocuments, splitObjects } from './split.ts'

export interface PatchedFile {
  readonly file: SourceFile
  readonly pieces: readonly { readonly before: Piece; readonly after: PatchedPiece }[]
}

/** An edit, and the document that it is of. */
export interface PlacedEdit {
  readonly file: SourceFile
  readonly document: Document
  readonly edit: Omit<DocumentEdit, 'index'>
}

export function patchFiles(
  files: readonly SourceFile[],
  edits: readonly PlacedEdit[],
): readonly PatchedFile[] {
  const byFile = Map.groupBy(edits, ({ file }) => file)
  return files.map((file) => {
    const byStart = Map.groupBy(byFile.get(file) ?? [], ({ document }) => document.piece.start)
    const pieces = splitDocuments(file.text).flatMap((piece) => splitStream(piece, byStart))
    return { file, pieces: pieces.map((piece) => patchPlaced(piece, byStart.get(piece.start) ?? [])) }
  })
}

type Edits = ReadonlyMap<number, readonly PlacedEdit[]>

/** Objects of JSON one behind the other have been read one by one. */
function splitStream(piece: Piece, edits: Edits): readonly Piece[] {
  const parts = /^\s*\{/.test(piece.text) ? splitObjects(piece) : []
  const isStream = parts.some(({ text, start }) => edits.get(start)?.[0]?.document.piece.text === text)
  return isStream ? parts : [piece]
}

function patchPlaced(piece: Piece, edits: readonly PlacedEdit[]): PatchedFile['pieces'][number] {
  const known = new Map(edits.map(({ document }) => [document.index, document]))
  const placed = edits.map(({ document, edit }) => ({ index: document.index, ...edit }))
  return { before: piece, after: patchPiece(piece, placed, [...known.values()]) }
}

export const textOf = ({ pieces }: PatchedFile): string =>
  pieces.map(({ after }) => joinStretches(after.stretches)).join('')

/** One stream of documents, whatever the number of texts. */
export const joinStreams = (texts: readonly string[]): string =>
  texts
    .filter((text) => text.trim() !== '')
    .map((text, index) => (index === 0 || /^(?:\s|#.*)*---/.test(text) ? '' : '---\n') + endLine(text))
    .join('')

const endLine = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)

/** What is lost where documents could not be edited; empty where none is. */
export function describeAnew({ file, pieces }: PatchedFile): string {
  const count = pieces.filter(({ after }) => after.anew).length
  if (count === 0) return ''
  const subject = count === 1 ? 'document is' : 'documents are'
  return `${file.name}: ${count} ${subject} printed anew, without comments: aliases or merged keys stand where the change goes`
}
