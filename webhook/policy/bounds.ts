/** The blocks `default`, `max` and `min` of a rule, and those of its windows. */
import { DIMENSION_NAMES } from '../../contract/keys.ts'
import {
  type BytesPerSecond,
  DIMENSIONS,
  type Dimension,
  type Iops,
  isIopsDimension,
  UNLIMITED,
} from '../../contract/limits.ts'
import { formatLimit } from '../../contract/overrides.ts'
import type { Problem } from '../../contract/problem.ts'
import { childOf, type Field, isAbsent, pathOf, readStrictMap, refuse } from '../../contract/reader.ts'
import { parseBytesPerSecond, parseIops } from '../../contract/values.ts'
import type { Bounds, Default } from './policy.ts'

/** One value of a block, and the field that stated it: `default.iops` states both directions. */
export interface Stated {
  readonly value: Iops | BytesPerSecond
  readonly field: Field
}

export type Block = { readonly [dimension in Dimension]?: Stated }

const FIELDS = ['iops', 'readIOPS', 'writeIOPS', 'bps', 'readBPS', 'writeBPS'] as const

/** `iops` and `bps` state both directions; the field of one direction beats them. */
export function readBlock(field: Field): Block {
  if (isAbsent(field)) return {}
  const map = readStrictMap(field, FIELDS)
  if (map === undefined) return {}
  const stated = new Map(FIELDS.map((name) => [name, readValue(childOf(field, map, name), name)]))
  const block: { [dimension in Dimension]?: Stated } = {}
  for (const dimension of DIMENSIONS) {
    const value = stated.get(dimension) ?? stated.get(isIopsDimension(dimension) ? 'iops' : 'bps')
    if (value !== undefined) block[dimension] = value
  }
  return block
}

function readValue(field: Field, name: (typeof FIELDS)[number]): Stated | undefined {
  if (isAbsent(field)) return undefined
  if (typeof field.value === 'number' && Number.isInteger(field.value) && !Number.isSafeInteger(field.value))
    return refuse(field, 'is too large to be exact as a number', 'write it in quotes')
  const text = textOf(field.value)
  if (text === undefined)
    return refuse(field, 'is neither a number nor a text', 'write such as 500 or "50Mi"')
  const parse = name === 'iops' || isIopsField(name) ? parseIops : parseBytesPerSecond
  const parsed = parse(text, pathOf(field))
  if (!parsed.ok) {
    field.problems.push(...parsed.problems.map((problem) => ({ ...problem, cure: cureOf(problem) })))
    return undefined
  }
  return parsed.value === UNLIMITED ? refuse(field, 'is no bound', LEAVE_OUT) : { value: parsed.value, field }
}

const LEAVE_OUT = 'leave the field out where there is no limit'

/** A pod says "no limit" by "max", a policy by saying nothing. */
function cureOf({ cure }: Problem): string {
  const rest = cure.replace(/, or "max" for no limit$/, '')
  return rest.includes('"max"') ? LEAVE_OUT : rest
}

const isIopsField = (name: string): boolean => name === 'readIOPS' || name === 'writeIOPS'

/** YAML and JSON numbers arrive as numbers; a safe whole one has but one spelling. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'number' ? String(value) : undefined
}

/** min <= default <= max in every dimension: a policy may not refuse what it fills in. */
export function checkOrder({
  defaults,
  max,
  min,
}: {
  readonly defaults: Block
  readonly max: Block
  readonly min: Block
}): void {
  for (const dimension of DIMENSIONS) {
    complainIfAbove(min[dimension], max[dimension], `the max of ${dimension}`)
    complainIfAbove(defaults[dimension], max[dimension], `the max of ${dimension}`)
    complainIfAbove(min[dimension], defaults[dimension], `the default of ${dimension}`)
  }
}

export function complainIfAbove(low: Stated | undefined, high: Stated | undefined, name: string): void {
  if (low === undefined || high === undefined || low.value <= high.value) return
  refuse(
    low.field,
    `is above ${name}, ${String(high.field.value)} at ${pathOf(high.field)}`,
    'lower it or raise the other',
  )
}

export function boundsOf(block: Block): Bounds {
  const bounds: { [dimension in Dimension]?: Iops | BytesPerSecond } = {}
  for (const dimension of DIMENSIONS) {
    const stated = block[dimension]
    if (stated !== undefined) bounds[dimension] = stated.value
  }
  return bounds
}

/**
 * What is filled in where a pod says nothing: the default, else the max, as a LimitRange does it
 * (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_LimitRange): a cap that an absent value escapes caps nothing.
 */
export function defaultsOf(defaults: Bounds, max: Bounds): readonly Default[] {
  return DIMENSIONS.flatMap((dimension) => {
    const value = defaults[dimension] ?? max[dimension]
    const name = DIMENSION_NAMES[dimension].own
    return value === undefined ? [] : [{ dimension, name, text: formatLimit(name, value) }]
  })
}
