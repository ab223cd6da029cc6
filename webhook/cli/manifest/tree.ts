/** A document as its source is written: which characters each part of it takes. */
import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml'
import { readEvents } from './events.ts'
import type { Path } from './path.ts'

export type Tree = MappingTree | SequenceTree | ScalarTree | AliasTree

interface Range {
  readonly start: number
  /** Behind the last character; of a block the end of what stands in it. */
  readonly end: number
}

export interface Entry {
  readonly key: Tree
  readonly name: string
  readonly value: Tree
}

export interface MappingTree extends Range {
  readonly kind: 'mapping'
  readonly flow: boolean
  readonly entries: readonly Entry[]
  readonly anchored: boolean
}

export interface SequenceTree extends Range {
  readonly kind: 'sequence'
  readonly items: readonly Tree[]
  readonly anchored: boolean
}

export interface ScalarTree extends Range {
  readonly kind: 'scalar'
  readonly text: string
  /** `|` and `>`: its lines belong to it. */
  readonly block: boolean
  readonly anchored: boolean
}

export interface AliasTree extends Range {
  readonly kind: 'alias'
  readonly anchored: false
}

/** One List is asked about for each of its items, one behind the other. */
let last: { readonly source: string; readonly trees: readonly (Tree | undefined)[] } = {
  source: '',
  trees: [],
}

/** The trees of a text that has been parsed without a fault; undefined for an empty document. */
export function readTrees(source: string): readonly (Tree | undefined)[] {
  if (source !== last.source) last = { source, trees: parseTrees(source) }
  return last.trees
}

function parseTrees(text: string): readonly (Tree | undefined)[] {
  const { events, source } = readEvents(text)
  const reader: Reader = { source, events, next: 0, last: 0 }
  const trees: (Tree | undefined)[] = []
  while (reader.next < events.length) {
    reader.next += 1
    trees.push(isPop(reader) ? undefined : readTree(reader))
    reader.next += 1
  }
  return trees
}

interface Reader {
  readonly source: string
  readonly events: readonly Event[]
  /** Index of the next event. */
  next: number
  /** End of the last thing read: an empty value stands there. */
  last: number
}

const isPop = ({ events, next }: Reader): boolean => events[next]?.type === EVENT_ID.POP

function readTree(reader: Reader): Tree {
  const event = reader.events[reader.next]
  reader.next += 1
  switch (event?.type) {
    case EVENT_ID.MAPPING:
      return readMapping(reader, event)
    case EVENT_ID.SEQUENCE:
      return readSequence(reader, event)
    case EVENT_ID.SCALAR:
      return readScalar(reader, event)
    case EVENT_ID.ALIAS:
      reader.last = event.anchorEnd
      return { kind: 'alias', start: event.anchorStart - 1, end: event.anchorEnd, anchored: false }
    default:
      throw new RangeError('the events of a parsed text begin with a node')
  }
}

type EventOf<T extends Event['type']> = Extract<Event, { readonly type: T }>

function readMapping(reader: Reader, event: EventOf<typeof EVENT_ID.MAPPING>): MappingTree {
  const entries: Entry[] = []
  reader.last = event.start
  while (!isPop(reader)) {
    const key = readTree(reader)
    const value = readTree(reader)
    entries.push({ key, name: key.kind === 'scalar' ? key.text : '', value })
  }
  const flow = event.style === COLLECTION_STYLE.FLOW
  close(reader, flow)
  return {
    kind: 'mapping',
    ...{ flow, entries, start: event.start, end: reader.last, anchored: event.anchorStart >= 0 },
  }
}

function readSequence(reader: Reader, event: EventOf<typeof EVENT_ID.SEQUENCE>): SequenceTree {
  const items: Tree[] = []
  reader.last = event.start
  while (!isPop(reader)) items.push(readTree(reader))
  close(reader, event.style === COLLECTION_STYLE.FLOW)
  return { kind: 'sequence', items, start: event.start, end: reader.last, anchored: event.anchorStart >= 0 }
}

/** A flow collection ends with its bracket: behind the last thing in it come only space, commas and comments. */
function close(reader: Reader, flow: boolean): void {
  reader.next += 1
  if (!flow) return
  const { source, last } = reader
  const [between = ''] = /^[[{]?(?:[\s,]|#[^\n]*)*[\]}]/.exec(source.slice(last)) ?? []
  reader.last += between.length
}

function readScalar(reader: Reader, event: EventOf<typeof EVENT_ID.SCALAR>): ScalarTree {
  const { style, valueStart, valueEnd, anchorStart } = event
  const quoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0
  const isEmpty = valueStart < 0
  const start = isEmpty ? findValuePlace(reader) : valueStart - quoted
  const end = isEmpty ? start : valueEnd + quoted
  reader.last = Math.max(end, anchorStart)
  return {
    kind: 'scalar',
    text: isEmpty ? '' : getScalarValue(reader.source, event),
    block: style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK,
    ...{ start, end, anchored: anchorStart >= 0 },
  }
}

/** An empty value stands behind its colon. */
function findValuePlace({ source, last }: Reader): number {
  const [colon = ''] = /^\s*:/.exec(source.slice(last)) ?? []
  return last + colon.length
}

/** The part at the path, as the source has it; undefined where aliases or merged keys lead elsewhere. */
export function treeAt(tree: Tree | undefined, path: Path): Tree | undefined {
  let part = tree
  for (const step of path) {
    if (part?.kind === 'mapping') part = part.entries.find(({ name }) => name === step)?.value
    else if (part?.kind === 'sequence' && typeof step === 'number') part = part.items[step]
    else return undefined
  }
  return part
}
