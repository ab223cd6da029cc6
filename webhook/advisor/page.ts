/** One page of an enforcer's `/api/v1/containers` (docs/usage.md), from untrusted text to rows. */

import { bad, ok, type Result } from '../../contract/problem.ts'
import { childOf, type Field, readList, readMap, rootField } from '../../contract/reader.ts'
import type { Rates } from './core/history.ts'

/** One cgroup on one disk. */
export interface UsageRow {
  /** Of the pod. */
  readonly uid: string
  /** Null: the pod's own cgroup. */
  readonly container: string | null
  /** Absent where the enforcer tells no rates. */
  readonly usage?: RowUsage
}

export interface RowUsage {
  readonly rates: Rates
  /** What the rates are averages of. */
  readonly seconds: number
  /** When that ended, in milliseconds since 1970 by our own clock. */
  readonly at: number
}

export interface UsagePage {
  readonly rows: readonly UsageRow[]
  /** Asks for the next page; absent on the last. */
  readonly next?: string
}

/** Seconds: neither a sample nor its age is ever so long; what claims to be is no measurement. */
const LONGEST = 86_400

/** `now`: when the answer came. An item that cannot be read is left out; what is no page at all is refused. */
export function parseUsagePage(text: string, now: number): Result<UsagePage> {
  const root = rootField(parseJson(text), 'page')
  const map = readMap(root)
  const items = map && readList(childOf(root, map, 'items'))
  if (map === undefined || items === undefined) return bad(...root.problems)
  const { value: next } = childOf(root, map, 'continue')
  const rows = items.flatMap((item) => readRow({ ...item, problems: [] }, now) ?? [])
  return ok({ rows, ...(typeof next === 'string' && next !== '' && { next }) })
}

/** Undefined, which is no map either, where it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readRow(item: Field, now: number): UsageRow | undefined {
  const map = readMap(item) ?? {}
  const { value: uid } = childOf(item, map, 'uid')
  const { value: container } = childOf(item, map, 'container')
  if (typeof uid !== 'string' || (typeof container !== 'string' && container !== null)) return undefined
  const usage = readUsage(childOf(item, map, 'usage'), now)
  return { uid, container, ...(usage && { usage }) }
}

function readUsage(field: Field, now: number): RowUsage | undefined {
  const map = readMap(field) ?? {}
  const read = (key: string): number => readAmount(childOf(field, map, key).value)
  const rates: Rates = {
    readIOPS: read('readIOPS'),
    writeIOPS: read('writeIOPS'),
    readBPS: read('readBPS'),
    writeBPS: read('writeBPS'),
  }
  const [seconds, age] = [read('seconds'), read('age')]
  const isRead = [...Object.values<number>(rates), seconds, age].every((value) => !Number.isNaN(value))
  if (!isRead || seconds <= 0 || seconds > LONGEST || age > LONGEST) return undefined
  return { rates, seconds, at: now - age * 1000 }
}

/** NaN where it is no number that can be measured. JSON has no infinity, but 1e999 is one. */
const readAmount = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : Number.NaN
