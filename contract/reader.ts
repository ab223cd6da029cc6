/** Unknown data to typed data: each step either gives the value or notes a problem at the field's path. */
import type { Problem } from './problem.ts'

/** A value whose type is not known yet, where it stands, and where its problems go. */
export interface Field {
  readonly value: unknown
  /** The map or list that it stands in; undefined at the root. */
  readonly parent: Field | undefined
  /** Its key or index there; the whole path of a root. */
  readonly step: string | number
  readonly problems: Problem[]
}

export const rootField = (value: unknown, path: string): Field => ({
  value,
  parent: undefined,
  step: path,
  problems: [],
})

/** `spec.rules[0].name`: put together only where it is asked for, since most fields have no problem. */
export function pathOf({ parent, step }: Field): string {
  if (parent === undefined) return String(step)
  const before = pathOf(parent)
  if (typeof step === 'number') return `${before}[${step}]`
  if (!PLAIN_KEY.test(step)) return `${before}[${JSON.stringify(step)}]`
  return before === '' ? step : `${before}.${step}`
}

const PLAIN_KEY = /^[\w-]+$/

export const isAbsent = ({ value }: Field): boolean => value === undefined

/** Notes what is wrong with the field; gives undefined, so that readers can return it. */
export function refuse(field: Field, reason: string, cure: string): undefined {
  const shown = showValue(field.value)
  field.problems.push({ field: pathOf(field), ...(shown !== undefined && { value: shown }), reason, cure })
  return undefined
}

function showValue(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

type Fields = Readonly<Record<string, unknown>>

/** A map with string keys; null is not one. */
export function readMap(field: Field): Fields | undefined {
  const { value } = field
  if (isMap(value)) return value
  return refuse(field, `is ${nameOf(value)}, not a map`, 'write a map of keys and values')
}

const isMap = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands under a key of a map that {@link readMap} gave; own keys only, so that no prototype shines through. */
export const childOf = (parent: Field, map: Fields, key: string): Field =>
  fieldIn(parent, key, Object.hasOwn(map, key) ? map[key] : undefined)

/** A field of another, by its key or index there. */
export const fieldIn = (parent: Field, step: string | number, value: unknown): Field => ({
  value,
  parent,
  step,
  problems: parent.problems,
})

/** A map that knows its keys: any other one is refused with the names of those that it takes. */
export function readStrictMap(field: Field, known: readonly string[]): Fields | undefined {
  const map = readMap(field)
  if (map === undefined) return undefined
  for (const key of Object.keys(map)) {
    if (!known.includes(key))
      refuse(
        childOf(field, map, key),
        'is not a field here',
        `remove it, or write one of ${known.join(', ')}`,
      )
  }
  return map
}

export function readList(field: Field): readonly Field[] | undefined {
  const { value } = field
  if (!Array.isArray(value)) return refuse(field, `is ${nameOf(value)}, not a list`, 'write a list')
  return value.map((item: unknown, index) => fieldIn(field, index, item))
}

export function readString(field: Field): string | undefined {
  const { value } = field
  return typeof value === 'string'
    ? value
    : refuse(field, `is ${nameOf(value)}, not a text`, 'write a text, in quotes where it looks like a number')
}

export function readBoolean(field: Field): boolean | undefined {
  const { value } = field
  return typeof value === 'boolean'
    ? value
    : refuse(field, `is ${nameOf(value)}, not a truth value`, 'write true or false')
}

/** A list of texts. */
export function readStrings(field: Field): readonly string[] {
  return (readList(field) ?? []).flatMap((item) => readString(item) ?? [])
}

/** A map of texts, as labels and annotations are; absent and null count as empty, as in Kubernetes. */
export function readStringMap(field: Field): Readonly<Record<string, string>> {
  if (field.value === undefined || field.value === null) return {}
  const map = readMap(field)
  if (map === undefined) return {}
  if (Object.values(map).every((value) => typeof value === 'string'))
    return map as Readonly<Record<string, string>>
  for (const key of Object.keys(map)) readString(childOf(field, map, key))
  return {}
}

/** "missing", "a number", "a list": how a message calls what it found. */
function nameOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'object':
      return 'a map'
    case 'string':
      return 'a text'
    case 'boolean':
      return 'a truth value'
    default:
      return 'a number'
  }
}
