import { constructFromEvents, EVENT_ID, type Event, YAMLException } from 'js-yaml'
import { readEvents } from './events.ts'
import { KUBECTL_SCHEMA } from './scalars.ts'
import { type Piece, splitDocuments, splitObjects } from './split.ts'

/** One document of a manifest, and where it stands. */
export interface Document {
  readonly value: unknown
  readonly piece: Piece
  /** Its number within the piece: `...` can end one before the next begins. */
  readonly index: number
  /** Characters of the piece before its first key. */
  readonly start: number
}

/** What keeps a piece from being read. */
export interface SyntaxFault {
  /** Characters of the file before the place. */
  readonly offset: number
  readonly reason: string
  readonly cure: string
}

export interface Manifest {
  readonly documents: readonly Document[]
  readonly faults: readonly SyntaxFault[]
}

/** Every document of a YAML or JSON text that is not empty (Helm leaves many). A wrong one does not hide the others. */
export function parseManifest(text: string): Manifest {
  const documents: Document[] = []
  const faults: SyntaxFault[] = []
  for (const piece of splitDocuments(text)) {
    const read = parsePiece(piece)
    const { fault, documents: found } = read.fault === undefined ? read : (parseStream(piece) ?? read)
    documents.push(...found)
    if (fault !== undefined) faults.push(fault)
  }
  return { documents, faults }
}

interface PieceRead {
  readonly documents: readonly Document[]
  /** Then there are no documents. */
  readonly fault?: SyntaxFault
}

/** Objects of JSON one behind the other; undefined where the piece is something else. */
function parseStream(piece: Piece): PieceRead | undefined {
  if (!/^\s*\{/.test(piece.text)) return undefined
  const parts = splitObjects(piece).map(parsePiece)
  const isStream = parts.length > 1 && parts.every(({ fault }) => fault === undefined)
  return isStream ? { documents: parts.flatMap(({ documents }) => documents) } : undefined
}

export function parsePiece(piece: Piece): PieceRead {
  const { text, start } = piece
  try {
    const { events, source } = readEvents(text)
    const values = constructFromEvents(events, { source, schema: KUBECTL_SCHEMA })
    const isLarge = events.some(({ type }) => type === EVENT_ID.ALIAS) && values.some(isBoundless)
    if (isLarge) return failAt(start, 'its aliases unfold without end', 'write it without them')
    const starts = findStarts(events)
    const documents = values.map((value, index) => ({ value, piece, index, start: starts[index] ?? 0 }))
    return { documents: documents.filter(({ value }) => value !== null && value !== undefined) }
  } catch (error) {
    const { offset, reason, cure } = describeSyntax(error, text)
    return failAt(start + offset, reason, cure)
  }
}

/** Where the map of each document begins; 0 for one that holds something else. */
const findStarts = (events: readonly Event[]): readonly number[] =>
  events.flatMap(({ type }, index) => {
    const root = type === EVENT_ID.DOCUMENT ? events[index + 1] : undefined
    if (root === undefined) return []
    return [root.type === EVENT_ID.MAPPING ? root.start : 0]
  })

const failAt = (offset: number, reason: string, cure: string): PieceRead => ({
  documents: [],
  fault: { offset, reason, cure },
})

const offsetOf = (error: unknown): number =>
  error instanceof YAMLException ? (error.mark?.position ?? 0) : 0

function describeSyntax(error: unknown, text: string): SyntaxFault {
  const reason = error instanceof YAMLException ? error.reason : String(error)
  const offset = offsetOf(error)
  if (reason === 'duplicated mapping key') return describeDuplicate(offset, text)
  if (/^\s*(?:- )?(?:[\w"-]+:\s*)?\{\{/m.test(text))
    return {
      offset,
      reason: 'it is a template, not YAML',
      cure: 'render it first, such as by "helm template CHART | iops-limit review -"',
    }
  return { offset, reason: `it is not YAML: ${reason}`, cure: 'mend the syntax there' }
}

/** The parser points behind the quote of a key that has one. */
function describeDuplicate(offset: number, text: string): SyntaxFault {
  const quote = /["']/.exec(text.charAt(offset - 1))?.[0]
  const end =
    quote === undefined ? text.slice(offset).search(/\s*(?::|$)/m) : text.indexOf(quote, offset) - offset
  const key = text.slice(offset, offset + end)
  return {
    offset: quote === undefined ? offset : offset - 1,
    reason: `the key ${key} stands twice in one map`,
    cure: 'keep one of them',
  }
}

/** Far more than the largest object that an API server stores has (1.5 MiB in etcd). */
const MOST_VALUES = 2_000_000

/** More values than any object has, or a circle. */
function isBoundless(root: unknown): boolean {
  const sizes = new Map<object, number>()
  const measure = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1
    const known = sizes.get(value)
    if (known !== undefined) return known
    sizes.set(value, Number.POSITIVE_INFINITY)
    const size = Object.values(value).reduce<number>((sum, child) => sum + measure(child), 1)
    sizes.set(value, size)
    return size
  }
  return measure(root) > MOST_VALUES
}
