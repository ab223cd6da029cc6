import { type StructuredPatchHunk, structuredPatch } from 'diff'
import type { PatchedFile } from '../manifest/rewrite.ts'
import { CONTEXT } from '../manifest/stretches.ts'
import type { Paint } from './paint.ts'

/** A unified diff, such as `patch` takes; empty where nothing changes. Documents are compared one by one. */
export function formatDiff(files: readonly PatchedFile[], paint: Paint): string {
  return files.map((file) => formatFile(file, paint)).join('')
}

function formatFile({ file, pieces }: PatchedFile, paint: Paint): string {
  let [oldLine, newLine] = [0, 0]
  const stretches = pieces.flatMap(({ after }) => after.stretches)
  const hunks = stretches.flatMap(({ before, after }) => {
    const found = before === after ? [] : findHunks(before, after)
    const placed = found.map((hunk) => ({
      ...hunk,
      oldStart: hunk.oldStart + oldLine,
      newStart: hunk.newStart + newLine,
    }))
    oldLine += countBreaks(before)
    newLine += countBreaks(after)
    return placed
  })
  if (hunks.length === 0) return ''
  const head = paint.bold(`--- ${file.name}\n+++ ${file.name}`)
  return `${head}\n${hunks.map((hunk) => formatHunk(hunk, paint)).join('')}`
}

const findHunks = (before: string, after: string): readonly StructuredPatchHunk[] =>
  structuredPatch('', '', before, after, '', '', { context: CONTEXT }).hunks

const countBreaks = (text: string): number => text.split('\n').length - 1

function formatHunk(
  { oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk,
  paint: Paint,
): string {
  const head = paint.cyan(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`)
  const body = lines.map((line) => {
    if (line.startsWith('+')) return paint.green(line)
    return line.startsWith('-') ? paint.red(line) : line
  })
  return `${[head, ...body].join('\n')}\n`
}
