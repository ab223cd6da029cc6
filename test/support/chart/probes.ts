/** What a values.schema.json has to refuse, found from the schema itself: an unknown key at each place, a value past each bound. */

type Step = string | number

export interface Probe {
  readonly path: readonly Step[]
  readonly value: unknown
}

type Fields = Readonly<Record<string, unknown>>

/** One for each object that knows its keys: a key that it does not. Items of lists are the first of their list. */
export const findUnknownKeys = (root: unknown): readonly Probe[] =>
  visit(root).flatMap(({ path, schema }) =>
    schema['properties'] === undefined ? [] : [{ path: [...path, 'unknownKey'], value: 1 }],
  )

/**
 * For each constraint of each value, something that breaks it: in groups whose members do not stand within one another, so that
 * one file of values can hold them.
 */
export function findBreaches(root: unknown): readonly (readonly Probe[])[] {
  const nodes = visit(root).filter(({ path }) => path.length > 0)
  const probes = nodes.flatMap(({ path, schema }) =>
    breach(schema).map((value, index) => ({ path, value, group: `${path.length}/${index}` })),
  )
  return [...Map.groupBy(probes, ({ group }) => group).values()]
}

/** The values in which all of these stand. */
export function composeValues(probes: readonly Probe[]): unknown {
  let values: unknown
  for (const { path, value } of probes) values = put(values, path, value)
  return values
}

/** As helm names the place: `at '/webhook/image/tag'`. */
export const formatPlace = (path: readonly Step[]): string =>
  `at '${path.map((step) => `/${step}`).join('')}'`

interface Node {
  readonly path: readonly Step[]
  readonly schema: Fields
}

function visit(root: unknown, found: unknown = root, path: readonly Step[] = []): readonly Node[] {
  const schema = resolve(root, fieldsOf(found))
  const { properties, items, additionalProperties } = schema
  return [
    { path, schema },
    ...Object.entries(fieldsOf(properties)).flatMap(([key, child]) => visit(root, child, [...path, key])),
    ...(items === undefined ? [] : visit(root, items, [...path, 0])),
    ...(typeof additionalProperties === 'object' ? visit(root, additionalProperties, [...path, 'key']) : []),
  ]
}

function resolve(root: unknown, schema: Fields): Fields {
  const ref = schema['$ref']
  if (typeof ref !== 'string') return schema
  return fieldsOf(fieldsOf(fieldsOf(root)['$defs'])[ref.replace('#/$defs/', '')])
}

function breach(schema: Fields): readonly unknown[] {
  const { type, minimum, maximum, maxLength, maxItems, pattern } = schema
  const { enum: choices, minLength, anyOf } = schema
  const broken: unknown[] = []
  if (type === 'object' || type === 'boolean') broken.push('a text')
  if (type === 'array' || type === 'string') broken.push(5)
  if (type === 'integer') broken.push('5', 1.5)
  if (type === undefined && anyOf !== undefined) broken.push(true)
  if (Array.isArray(choices)) broken.push('no-such-choice')
  if (typeof minimum === 'number') broken.push(minimum - 1)
  if (typeof maximum === 'number') broken.push(maximum + 1)
  if (typeof minLength === 'number' && minLength > 0) broken.push('')
  if (typeof maxLength === 'number') broken.push('a'.repeat(maxLength + 1))
  if (typeof maxItems === 'number') broken.push(Array.from({ length: maxItems + 1 }, (_, index) => index))
  // No value of a chart has a control character in it.
  if (typeof pattern === 'string') broken.push('\u0001')
  return broken
}

function put(into: unknown, [step, ...rest]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return value
  if (typeof step === 'number') return [put(Array.isArray(into) ? into[step] : undefined, rest, value)]
  const map = fieldsOf(into)
  return { ...map, [step]: put(map[step], rest, value) }
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
