import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../../contract/problem.ts'
import {
  childOf,
  type Field,
  isAbsent,
  pathOf,
  readBoolean,
  readList,
  readMap,
  readStrictMap,
  readString,
  readStringMap,
  readStrings,
  refuse,
  rootField,
} from '../../../contract/reader.ts'

/** What a reader gives for a value at `spec.x`, and what it complains of. */
function read<T>(
  reader: (field: Field) => T,
  value: unknown,
): { readonly got: T; readonly said: readonly string[] } {
  const field = rootField(value, 'spec.x')
  const got = reader(field)
  return { got, said: field.problems.map(formatProblem) }
}

const MAP = 'write a map of keys and values'
const TEXT = 'write a text, in quotes where it looks like a number'

describe('a value of the right type is given as it is', () => {
  test.each([
    [readMap, { a: 1 }],
    [readString, ''],
    [readString, 'a'],
    [readBoolean, false],
    [readStrings, ['a', 'b']],
    [readStringMap, { a: 'b' }],
  ])('%o reads %j', (reader: (field: Field) => unknown, value) => {
    expect(read(reader, value)).toEqual({ got: value, said: [] })
  })

  test('a list becomes fields with their paths', () => {
    const { got, said } = read(readList, ['a', 2])
    expect(got?.map((item) => [item.value, pathOf(item)])).toEqual([
      ['a', 'spec.x[0]'],
      [2, 'spec.x[1]'],
    ])
    expect(said).toEqual([])
  })
})

describe('a value of another type is a problem that says what it is', () => {
  test.each([
    [readMap, undefined, `spec.x: is missing, not a map; ${MAP}`],
    [readMap, null, `spec.x: is null, not a map; ${MAP}`],
    [readMap, [1], `spec.x: is a list, not a map; ${MAP}`],
    [readMap, 'a', `spec.x: "a" is a text, not a map; ${MAP}`],
    [readMap, 5n, `spec.x: "5" is a number, not a map; ${MAP}`],
    [readList, { a: 1 }, 'spec.x: is a map, not a list; write a list'],
    [readString, 5, `spec.x: "5" is a number, not a text; ${TEXT}`],
    [readString, true, `spec.x: "true" is a truth value, not a text; ${TEXT}`],
    [readBoolean, 'true', 'spec.x: "true" is a text, not a truth value; write true or false'],
  ])('%o refuses %o', (reader: (field: Field) => unknown, value, problem) => {
    expect(read(reader, value)).toEqual({ got: undefined, said: [problem] })
  })
})

describe('lists and maps of texts', () => {
  test('keep what is good, and name every item that is not', () => {
    expect(read(readStrings, ['a', 1, 'b', null])).toEqual({
      got: ['a', 'b'],
      said: [`spec.x[1]: "1" is a number, not a text; ${TEXT}`, `spec.x[3]: is null, not a text; ${TEXT}`],
    })
    expect(read(readStrings, 'a').got).toEqual([])
  })

  test('a map with a value that is no text says nothing', () => {
    expect(read(readStringMap, { good: 'a', 'iops-limit/limit': 500 })).toEqual({
      got: {},
      said: [`spec.x["iops-limit/limit"]: "500" is a number, not a text; ${TEXT}`],
    })
    expect(read(readStringMap, [1])).toEqual({ got: {}, said: [`spec.x: is a list, not a map; ${MAP}`] })
  })

  test.each([undefined, null])('%s is an empty map, as in Kubernetes', (value) => {
    expect(read(readStringMap, value)).toEqual({ got: {}, said: [] })
  })
})

describe('children', () => {
  const child = (path: string, key: string, map: Readonly<Record<string, unknown>> = {}): Field =>
    childOf(rootField(map, path), map, key)

  test.each([
    ['spec', 'max', 'spec.max'],
    ['', 'spec', 'spec'],
    ['', 'a/b', '["a/b"]'],
    ['metadata.labels', 'app.kubernetes.io/name', 'metadata.labels["app.kubernetes.io/name"]'],
    ['spec', 'a"b', 'spec["a\\"b"]'],
    ['spec', '', 'spec[""]'],
    ['spec', 'with-dash_1', 'spec.with-dash_1'],
  ])('at %j the key %j is %s', (path, key, expected) => {
    expect(pathOf(child(path, key))).toBe(expected)
  })

  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    '%s is inherited, and so absent',
    (key) => {
      expect(isAbsent(child('spec', key))).toBe(true)
    },
  )

  test('a key of its own is read, whatever its name', () => {
    const map = JSON.parse('{"__proto__": "own", "toString": "own", "none": null}') as Record<string, unknown>
    expect(child('spec', '__proto__', map).value).toBe('own')
    expect(child('spec', 'toString', map).value).toBe('own')
    expect(isAbsent(child('spec', 'none', map))).toBe(false)
  })

  test("their problems are collected with their parents'", () => {
    const parent = rootField({ a: 1 }, 'spec')
    expect(refuse(childOf(parent, { a: 1 }, 'a'), 'is wrong', 'write 2')).toBeUndefined()
    expect(parent.problems).toEqual([{ field: 'spec.a', value: '1', reason: 'is wrong', cure: 'write 2' }])
  })
})

test('a strict map names every key that it does not know', () => {
  const map = { iops: 1, ipos: 2, 'x/y': 'z' }
  expect(read((field) => readStrictMap(field, ['iops', 'bps']), map)).toEqual({
    got: map,
    said: [
      'spec.x.ipos: "2" is not a field here; remove it, or write one of iops, bps',
      'spec.x["x/y"]: "z" is not a field here; remove it, or write one of iops, bps',
    ],
  })
  expect(read((field) => readStrictMap(field, []), 5).got).toBeUndefined()
})

test('no JSON makes a reader throw, and what it refuses it has said', () => {
  const readers = [readMap, readList, readString, readBoolean] as const
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...readers), (value, reader) => {
      const { got, said } = read<unknown>(reader, value)
      expect(said.length).toBe(got === undefined ? 1 : 0)
    }),
  )
})
