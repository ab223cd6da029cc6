/** Cases with other expectations; all else of their files as it was. */
import { writeFileSync } from 'node:fs'
import { messageOf } from '../../../contract/problem.ts'
import { lineEnd, lineStart } from '../manifest/layout.ts'
import type { Fault, ManifestObject, SourceFile } from '../manifest/objects.ts'
import { readTrees, treeAt } from '../manifest/tree.ts'
import type { Expectation } from './case.ts'
import { printYaml } from './compare.ts'

/** What stands in a file from `start` up to `end`, and has to give way. */
export interface Update {
  readonly file: SourceFile
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Undefined where `spec` is written such that nothing can be put in: in braces, or through an alias. */
export function planUpdate(
  { file, document }: ManifestObject,
  expect: readonly Expectation[],
): Update | undefined {
  const { piece, index } = document
  const source = piece.text
  const spec = treeAt(readTrees(source)[index], ['spec'])
  if (spec?.kind !== 'mapping' || spec.flow) return undefined
  const old = spec.entries.find(({ name }) => name === 'expect')
  const last = spec.entries.at(-1)
  const indent = ' '.repeat(spec.start - lineStart(source, spec.start))
  const start =
    old === undefined ? lineEnd(source, last?.value.end ?? spec.end) : lineStart(source, old.key.start)
  const end = old === undefined ? start : lineEnd(source, old.value.end)
  const newline = start > 0 && source[start - 1] !== '\n' ? '\n' : ''
  const text = newline + printYaml({ expect }).replaceAll(/^(?=.)/gm, indent)
  return { file, text, start: piece.start + start, end: piece.start + end }
}

/** Each file once, with all that changes in it. */
export function writeUpdates(updates: readonly Update[]): readonly Fault[] {
  return [...Map.groupBy(updates, ({ file }) => file)].flatMap(([file, own]) => {
    try {
      writeFileSync(file.name, carryOut(file.text, own))
      return []
    } catch (error) {
      return [
        { file: file.name, message: `cannot be updated: ${messageOf(error)}; give the right to write it` },
      ]
    }
  })
}

/** From the end, so that what stands before keeps its place. */
const carryOut = (text: string, updates: readonly Update[]): string =>
  [...updates]
    .sort((a, b) => b.start - a.start)
    .reduce((rest, { start, end, text: inner }) => rest.slice(0, start) + inner + rest.slice(end), text)
