/** Whole files with edits of their documents carried out. */
import type { SourceFile } from './objects.ts'
import { type DocumentEdit, type PatchedPiece, patchPiece } from './patch.ts'
import { type Piece, splitDocuments } from './split.ts'

export interface PatchedFile {
  readonly file: SourceFile
  readonly pieces: readonly { readonly before: Piece; readonly after: PatchedPiece }[]
}

/** An edit, and the document that it is of. */
export interface PlacedEdit {
  readonly file: SourceFile
  readonly document: { readonly piece: Piece; readonly index: number }
  readonly edit: Omit<DocumentEdit, 'index'>
}

export function patchFiles(
  files: readonly SourceFile[],
  edits: readonly PlacedEdit[],
): readonly PatchedFile[] {
  const byFile = Map.groupBy(edits, ({ file }) => file)
  return files.map((file) => {
    const byStart = Map.groupBy(byFile.get(file) ?? [], ({ document }) => document.piece.start)
    const pieces = splitDocuments(file.text).map((before) => {
      const found = byStart.get(before.start) ?? []
      return {
        before,
        after: patchPiece(
          before,
          found.map(({ document, edit }) => ({ index: document.index, ...edit })),
        ),
      }
    })
    return { file, pieces }
  })
}

export const textOf = ({ pieces }: PatchedFile): string => pieces.map(({ after }) => after.text).join('')

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
