/** The values of the chart as its README lists them, from values.yaml and the comments in it. */
import { parse } from 'yaml'
import { childOf, readMap, rootField } from '../../contract/reader.ts'

export interface DocumentedValue {
  /** `webhook.image.tag`. */
  readonly path: string
  /** What stands behind `# --` above it. */
  readonly meaning: string
  /** Its default, as JSON. */
  readonly fallback: string
}

/** Every value with a comment `# -- ...` right above it, in the order of the file. */
export function findDocumentedValues(text: string): readonly DocumentedValue[] {
  const root: unknown = parse(text)
  const open: { readonly indent: number; readonly key: string }[] = []
  let comment: string[] = []
  return text.split('\n').flatMap((line) => {
    const [, said] = /^ *# (.*)$/.exec(line) ?? []
    if (said !== undefined) comment = said.startsWith('-- ') ? [said.slice(3)] : [...comment, said]
    const [, spaces = '', key] = /^( *)(\w+):/.exec(line) ?? []
    if (key === undefined) return []
    while ((open.at(-1)?.indent ?? -1) >= spaces.length) open.pop()
    open.push({ indent: spaces.length, key })
    const keys = open.map((step) => step.key)
    const meaning = comment.join(' ')
    comment = []
    return meaning === ''
      ? []
      : [{ path: keys.join('.'), meaning, fallback: JSON.stringify(valueAt(root, keys)) }]
  })
}

function valueAt(root: unknown, keys: readonly string[]): unknown {
  return keys.reduce((value, key) => {
    const field = rootField(value, '')
    return childOf(field, readMap(field) ?? {}, key).value
  }, root)
}

/** Paths of everything that is no map, and of empty maps and documented ones as wholes. */
export function findLeaves(value: unknown, isWhole: (path: string) => boolean, path = ''): readonly string[] {
  const map =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  return map.length === 0 || isWhole(path)
    ? [path]
    : map.flatMap(([key, child]) => findLeaves(child, isWhole, path === '' ? key : `${path}.${key}`))
}

export const formatChartValues = (text: string): string =>
  [
    '| value | default | meaning |',
    '| --- | --- | --- |',
    ...findDocumentedValues(text).map(
      ({ path, meaning, fallback }) =>
        `| \`${path}\` | \`${fallback.replaceAll('|', '\\|')}\` | ${meaning.replaceAll('|', '\\|')} |`,
    ),
  ].join('\n')
