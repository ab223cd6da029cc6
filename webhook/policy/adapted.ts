/** The annotation by which the advisor tells what it imposes on a pod, why, and what stood there before. */
import type { Annotations } from '../../contract/annotations.ts'
import { ADAPTED_KEY, DIMENSION_NAMES, type LimitName, limitKey } from '../../contract/keys.ts'
import { DIMENSIONS } from '../../contract/limits.ts'
import { parseLimit } from '../../contract/overrides.ts'
import {
  childOf,
  type Field,
  isAbsent,
  pathOf,
  readStrictMap,
  readString,
  rootField,
} from '../../contract/reader.ts'
import type { Changes } from './changes.ts'
import type { Subject } from './subject.ts'

export interface Adapted {
  /** RFC 3339, UTC: when it was imposed, or tightened last. */
  readonly since: string
  /** By the name of the key, as written there: `{"write-iops": "500"}`. */
  readonly imposed: Values<string>
  /** What stood under each of these keys before; null: nothing of the user's (nothing, or a default). */
  readonly replaced: Values<string | null>
  /** `batch: write-iops 2310/s over 15m, above 800`. */
  readonly why: string
  /** RFC 3339, UTC: when somebody was seen to have lifted it. Nothing is imposed on this pod any more. */
  readonly lifted?: string
}

type Values<T> = { readonly [name in LimitName]?: T }

/** Always the keys of one direction. */
const OWN_NAMES = DIMENSIONS.map((dimension) => DIMENSION_NAMES[dimension].own)

/** Longer ones are none of ours. */
const LONGEST = 4096

/** Undefined where the text is not what {@link formatAdapted} gives. */
export function parseAdapted(text: string): Adapted | undefined {
  const root = rootField(parseJson(text), ADAPTED_KEY)
  const map = readStrictMap(root, ['since', 'imposed', 'replaced', 'why', 'lifted'])
  if (map === undefined) return undefined
  const at = (key: string): Field => childOf(root, map, key)
  const adapted = {
    since: readTime(at('since')) ?? '',
    imposed: readValues(at('imposed'), readLimit),
    replaced: readValues(at('replaced'), (field) => (field.value === null ? null : readString(field))),
    why: readString(at('why')) ?? '',
    ...(!isAbsent(at('lifted')) && { lifted: readTime(at('lifted')) ?? '' }),
  }
  return root.problems.length === 0 ? adapted : undefined
}

function parseJson(text: string): unknown {
  try {
    return text.length > LONGEST ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function readTime(field: Field): string | undefined {
  const text = readString(field)
  if (text !== undefined && Number.isNaN(Date.parse(text))) readString({ ...field, value: undefined })
  return text
}

function readValues<T>(
  field: Field,
  read: (field: Field, name: LimitName) => T | undefined,
): { readonly [name in LimitName]?: T } {
  const map = readStrictMap(field, OWN_NAMES) ?? {}
  const values: { [name in LimitName]?: T } = {}
  for (const name of OWN_NAMES) {
    const child = childOf(field, map, name)
    const value = isAbsent(child) ? undefined : read(child, name)
    if (value !== undefined) values[name] = value
  }
  return values
}

function readLimit(field: Field, name: LimitName): string | undefined {
  const text = readString(field)
  const parsed = text === undefined ? undefined : parseLimit(name, text, pathOf(field))
  if (parsed?.ok === false) field.problems.push(...parsed.problems)
  return text
}

export const formatAdapted = ({ since, imposed, replaced, why, lifted }: Adapted): string =>
  JSON.stringify({ since, imposed, replaced, why, lifted })

/** What a pod's annotation says; undefined where it has none, or none of ours. */
export function readAdapted(annotations: Annotations): Adapted | undefined {
  const text = annotations[ADAPTED_KEY]
  return text === undefined ? undefined : parseAdapted(text)
}

/**
 * What gives the pod back what stood there before. A default is not restored: the key goes, and admission fills in today's.
 * What somebody has changed since is theirs, and stays.
 */
export function planRelease({ imposed, replaced }: Adapted, annotations: Annotations): Changes {
  const set: Record<string, string> = {}
  const remove = Object.hasOwn(annotations, ADAPTED_KEY) ? [ADAPTED_KEY] : []
  for (const name of OWN_NAMES) {
    const key = limitKey(name)
    const before = replaced[name]
    if (imposed[name] === undefined || annotations[key] !== imposed[name]) continue
    if (typeof before === 'string') set[key] = before
    else remove.push(key)
  }
  return { set, remove }
}

/**
 * What has to stand there once a request is admitted: on a pod that stands the advisor's own word, whoever else asks what stood
 * there before; on a new pod nothing, for nobody has seen yet what it does.
 */
export function findAdapted({ pod, old, isOwn = false }: Omit<Subject, 'namespace'>): string | undefined {
  return old === undefined ? undefined : (isOwn ? pod : old).annotations[ADAPTED_KEY]
}
