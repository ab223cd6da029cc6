/**
 * Changes of annotations and labels, carried out on the text itself: what is not changed keeps its comments, order and spelling.
 * Where the source is written such that this cannot be done (an alias, a merged key), the document is printed anew.
 */
import type { Operation } from '../../admission/patch.ts'
import {
  formatBlock,
  formatFlow,
  formatFlowEntries,
  formatKey,
  type InsertedMap,
  layoutAt,
  lineEnd,
  lineStart,
  newlineAt,
} from './layout.ts'
import type { Path } from './path.ts'
import type { Entry, MappingTree, Tree } from './tree.ts'

/** Annotations or labels to write and to drop on one object inside a document. */
export interface MetadataEdit {
  /** From the document's root, such as to a pod template. */
  readonly object: Path
  readonly map: 'annotations' | 'labels'
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

/** Characters from start to end give way to the text. */
export interface Replacement {
  readonly start: number
  readonly end: number
  readonly text: string
}

const MAP = '/metadata/annotations'

/** A webhook's patch, whose operations are all about annotations. */
export function editOf(object: Path, patch: readonly Operation[]): MetadataEdit {
  const set: Record<string, string> = {}
  const remove: string[] = []
  for (const operation of patch) {
    const key = operation.path
      .slice(MAP.length + 1)
      .replaceAll('~1', '/')
      .replaceAll('~0', '~')
    if (operation.op === 'remove') remove.push(key)
    else if (typeof operation.value === 'string') set[key] = operation.value
    else Object.assign(set, operation.value)
  }
  return { object, map: 'annotations', set, remove }
}

/** Undefined where the source does not say the object outright. */
export function planEdit(source: string, tree: Tree, edit: MetadataEdit): readonly Replacement[] | undefined {
  const object = edit.object.reduce<Tree | undefined>(stepInto, tree)
  if (object?.kind !== 'mapping') return undefined
  return changeChild(source, object, {
    name: 'metadata',
    value: { [edit.map]: edit.set },
    change: (metadata) =>
      changeChild(source, metadata, {
        name: edit.map,
        value: edit.set,
        change: (map) => changeEntries(source, map, edit),
      }),
  })
}

const stepInto = (part: Tree | undefined, step: string | number): Tree | undefined => {
  if (part?.kind === 'mapping') return findEntry(part, String(step))?.value
  return part?.kind === 'sequence' && typeof step === 'number' ? part.items[step] : undefined
}

const findEntry = ({ entries }: MappingTree, wanted: string): Entry | undefined =>
  entries.find(({ name }) => name === wanted)

interface Child {
  readonly name: string
  /** What it holds where it is not there yet. */
  readonly value: InsertedMap
  /** What changes in it where it is there. */
  readonly change: (child: MappingTree) => readonly Replacement[] | undefined
}

function changeChild(
  source: string,
  parent: MappingTree,
  { name, value, change }: Child,
): readonly Replacement[] | undefined {
  const entry = findEntry(parent, name)
  if (entry === undefined) return [insertInto(source, parent, { [name]: value })]
  if (entry.value.kind === 'mapping') return change(entry.value)
  return fillEmpty(source, entry, { parent, value })
}

/** Behind the last entry of a map. */
function insertInto(source: string, mapping: MappingTree, added: InsertedMap): Replacement {
  return mapping.flow ? insertInFlow(source, mapping, added) : insertInBlock(source, mapping, added)
}

function insertInBlock(source: string, mapping: MappingTree, added: InsertedMap): Replacement {
  const at = lineEnd(source, mapping.entries.at(-1)?.value.end ?? mapping.end)
  // The last line of a file may lack its break.
  const start = at > 0 && source[at - 1] !== '\n' ? newlineAt(source, at) : ''
  return { start: at, end: at, text: start + formatBlock(added, layoutAt(source, mapping.start)) }
}

function insertInFlow(source: string, mapping: MappingTree, added: InsertedMap): Replacement {
  const { entries, start } = mapping
  const [first] = entries
  const at = entries.at(-1)?.value.end ?? start + 1
  // One entry a line, as JSON is printed.
  const [between = ''] = /^\s*/.exec(source.slice(start + 1, first?.key.start)) ?? []
  const separator = first !== undefined && between.includes('\n') ? `,${between}` : ', '
  const parts = formatFlowEntries(added, isQuoted(source, mapping))
  return { start: at, end: at, text: (first === undefined ? '' : separator) + parts.join(separator) }
}

/** Keys in quotes, as JSON has them. */
function isQuoted(source: string, { entries: [first], start }: MappingTree): boolean {
  // An empty map: as the key that it stands behind.
  return first === undefined
    ? /["']\s*:\s*$/.test(source.slice(Math.max(0, start - 80), start))
    : /["']/.test(source.charAt(first.key.start))
}

interface Filling {
  readonly parent: MappingTree
  readonly value: InsertedMap
}

/** A key with nothing behind it, or null. */
function fillEmpty(
  source: string,
  { value: old }: Entry,
  { parent, value }: Filling,
): readonly Replacement[] | undefined {
  if (old.kind !== 'scalar' || old.anchored) return undefined
  const start = source.slice(0, old.start).trimEnd().length
  if (parent.flow) return [{ start, end: old.end, text: ` ${formatFlow(value, isQuoted(source, parent))}` }]
  const { indent, newline } = layoutAt(source, parent.start)
  const text = newline + formatBlock(value, { indent: indent + 2, newline }).trimEnd()
  const [space = ''] = /^[ \t]*(?=[\r\n])/.exec(source.slice(old.end)) ?? []
  return [{ start, end: old.end + space.length, text }]
}

function changeEntries(
  source: string,
  mapping: MappingTree,
  { set, remove }: MetadataEdit,
): readonly Replacement[] {
  const present = mapping.entries.filter(({ name }) => Object.hasOwn(set, name))
  const dropped = mapping.entries.filter(({ name }) => remove.includes(name))
  const renamed = findRenamed(dropped, set, new Set(mapping.entries.map(({ name }) => name)))
  const known = new Set([...present.map(({ name }) => name), ...renamed.values()])
  const added = Object.fromEntries(Object.entries(set).filter(([key]) => !known.has(key)))
  const lost = dropped.filter((entry) => !renamed.has(entry))
  if (lost.length > 0 && mapping.flow) return [rewriteFlow(source, mapping, { set, remove })]
  if (lost.length > 0 && lost.length === mapping.entries.length) return [rewriteBlock(source, mapping, added)]
  return [
    ...present.map(({ name, value: { start, end } }) => ({ start, end, text: JSON.stringify(set[name]) })),
    ...[...renamed].map(([{ key }, name]) => ({
      start: key.start,
      end: key.end,
      text: spellKey(source, key, name),
    })),
    ...lost.map(({ key, value }) => ({
      start: lineStart(source, key.start),
      end: lineEnd(source, value.end),
      text: '',
    })),
    ...(Object.keys(added).length === 0 ? [] : [insertInto(source, mapping, added)]),
  ]
}

/** Entries whose value goes on under another key: those keep their place and their comment. */
function findRenamed(
  dropped: readonly Entry[],
  set: MetadataEdit['set'],
  taken: ReadonlySet<string>,
): ReadonlyMap<Entry, string> {
  const renamed = new Map<Entry, string>()
  for (const entry of dropped) {
    const used = new Set([...taken, ...renamed.values()])
    const [name] =
      Object.entries(set).find(
        ([key, value]) => !used.has(key) && entry.value.kind === 'scalar' && entry.value.text === value,
      ) ?? []
    if (name !== undefined) renamed.set(entry, name)
  }
  return renamed
}

const spellKey = (source: string, key: Tree, name: string): string =>
  /["']/.test(source.charAt(key.start)) ? JSON.stringify(name) : formatKey(name)

/** A block whose every line goes. */
function rewriteBlock(source: string, { start, end: last }: MappingTree, added: InsertedMap): Replacement {
  const end = lineEnd(source, last)
  if (Object.keys(added).length === 0) return { start, end, text: `{}${newlineAt(source, start)}` }
  return { start, end, text: formatBlock(added, layoutAt(source, start)).trimStart() }
}

/** A flow map with the commas where they belong. */
function rewriteFlow(
  source: string,
  mapping: MappingTree,
  { set, remove }: Pick<MetadataEdit, 'set' | 'remove'>,
): Replacement {
  const { entries, start, end } = mapping
  const kept = entries.filter(({ name }) => !remove.includes(name) && !Object.hasOwn(set, name))
  const parts = [
    ...kept.map(({ key, value }) => source.slice(key.start, value.end)),
    ...formatFlowEntries(set, isQuoted(source, mapping)),
  ]
  const [lead, tail] = [
    source.slice(start + 1, entries[0]?.key.start),
    source.slice(entries.at(-1)?.value.end, end - 1),
  ]
  // One entry a line stays that; comments between them cannot.
  const isSpaced = parts.length > 0 && /^\s*\n\s*$/.test(lead) && /^[\s,]*$/.test(tail)
  const text = isSpaced ? `{${lead}${parts.join(`,${lead}`)}${tail}}` : `{${parts.join(', ')}}`
  return { start, end, text }
}
