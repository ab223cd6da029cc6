/** The files of a review as admission would store what is in them. */
import { editOf } from '../manifest/edit.ts'
import type { SourceFile } from '../manifest/objects.ts'
import { type PatchedFile, type PlacedEdit, patchFiles } from '../manifest/rewrite.ts'
import { isReview, type Outcome } from './judge.ts'

/** What admission refuses stays as it was written: nothing would be stored. */
export const patchOutcomes = (
  files: readonly SourceFile[],
  outcomes: readonly Outcome[],
): readonly PatchedFile[] =>
  patchFiles(files, outcomes.filter(({ patch }) => patch.length > 0).map(placeEdit))

function placeEdit({ site, patch }: Outcome): PlacedEdit {
  const { object, path } = site
  const inside = isReview(object.value) ? ['request', 'object'] : path
  return { file: object.file, document: object.document, edit: editOf([...object.path, ...inside], patch) }
}
