/** Lists and watch lines of the API, from unknown JSON to what following them needs. The objects themselves stay unknown. */
import { formatProblem } from '../contract/problem.ts'
import {
  childOf,
  type Field,
  isAbsent,
  readList,
  readMap,
  readString,
  rootField,
} from '../contract/reader.ts'
import { KubeError } from './error.ts'

export interface Page {
  readonly items: readonly unknown[]
  /** Where a watch begins that misses nothing. */
  readonly version: string
  /** Asks for the next page; empty: this is the last. */
  readonly next: string
}

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'

export type WatchEvent =
  | { readonly type: ChangeType; readonly object: unknown; readonly version: string }
  | { readonly type: 'BOOKMARK'; readonly version: string }

/** Throws a {@link KubeError} with the reason `Unreadable` where it is no list. */
export function parsePage(body: unknown, path: string): Page {
  const root = rootField(body, 'body')
  const map = readMap(root) ?? {}
  const items = (readList(childOf(root, map, 'items')) ?? []).map(({ value }) => value)
  const metadata = childOf(root, map, 'metadata')
  const version = readText(metadata, 'resourceVersion')
  const next = readOptionalText(metadata, 'continue')
  throwUnread(root, `GET ${path}: the answer is no list`)
  return { items, version, next }
}

/** Throws the {@link KubeError} that the line itself carries (type ERROR), or one with the reason `Unreadable`. */
export function parseWatchLine(line: string, path: string): WatchEvent {
  const what = `watch of ${path}: a line is no event`
  const root = rootField(parseJson(line, what), 'event')
  const map = readMap(root) ?? {}
  const object = childOf(root, map, 'object')
  const { value: type } = childOf(root, map, 'type')
  if (type === 'ERROR') throw createStatusError(object, path)
  const version = readText(childOf(object, readMap(object) ?? {}, 'metadata'), 'resourceVersion')
  throwUnread(root, what)
  if (type === 'BOOKMARK') return { type, version }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')
    throw unreadable(`${what}: type is none of those known`)
  return { type, object: object.value, version }
}

function readText(parent: Field, key: string): string {
  return readString(childOf(parent, readMap(parent) ?? {}, key)) ?? ''
}

function readOptionalText(parent: Field, key: string): string {
  const field = childOf(parent, readMap(parent) ?? {}, key)
  return isAbsent(field) ? '' : (readString(field) ?? '')
}

function throwUnread({ problems }: Field, what: string): void {
  const [first] = problems
  if (first !== undefined) throw unreadable(`${what}: ${formatProblem(first)}`)
}

const unreadable = (message: string): KubeError =>
  new KubeError(message, { status: 200, reason: 'Unreadable' })

function parseJson(line: string, what: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw unreadable(`${what}: it is not JSON`)
  }
}

/** The Status object of an ERROR line, as the error that it would have been as an answer. */
function createStatusError(object: Field, path: string): KubeError {
  const status = readMap(object) ?? {}
  const { code, reason, message } = status
  const text = typeof message === 'string' ? message : 'no word'
  return new KubeError(`watch of ${path}: ${text} (ERROR line)`, {
    status: typeof code === 'number' ? code : 500,
    reason: typeof reason === 'string' && reason !== '' ? reason : 'Unknown',
  })
}
