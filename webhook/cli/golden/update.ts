/** A case's file with other expectations; all else as it was. */

import { lineEnd, lineStart } from '../manifest/layout.ts'
import type { ManifestObject } from '../manifest/objects.ts'
import { readTrees, treeAt } from '../manifest/tree.ts'
import type { Expectation } from './case.ts'
import { printYaml } from './compare.ts'

/** Undefined where `spec` is written such that nothing can be put in: in braces, or through an alias. */
export function replaceExpectations(
  { file, document }: ManifestObject,
  expect: readonly Expectation[],
): string | undefined {
  const { piece, index } = document
  const source = piece.text
  const spec = treeAt(readTrees(source)[index], ['spec'])
  if (spec?.kind !== 'mapping' || spec.flow) return undefined
  const old = spec.entries.find(({ name }) => name === 'expect')
  const last = spec.entries.at(-1)
  const indent = ' '.repeat(spec.start - lineStart(source, spec.start))
  const text = printYaml({ expect }).replaceAll(/^(?=.)/gm, indent)
  const start =
    old === undefined ? lineEnd(source, last?.value.end ?? spec.end) : lineStart(source, old.key.start)
  const end = old === undefined ? start : lineEnd(source, old.value.end)
  const newline = start > 0 && source[start - 1] !== '\n' ? '\n' : ''
  const [head, tail] = [file.text.slice(0, piece.start), file.text.slice(piece.start + source.length)]
  return head + source.slice(0, start) + newline + text + source.slice(end) + tail
}
