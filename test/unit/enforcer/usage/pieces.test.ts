/** Long answers in pieces: lines, and parts of a JSON object. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createJsonSplitter } from '../../../../enforcer/core/jsonSplitter.ts'
import { createLineSplitter } from '../../../../enforcer/core/lines.ts'

/** The text in pieces of these lengths, over and over. */
function* piecesOf(text: string, lengths: readonly number[]): Iterable<string> {
  for (let at = 0, index = 0; at < text.length; index++) {
    const length = lengths[index % lengths.length] ?? 1
    yield text.slice(at, at + length)
    at += length
  }
}

const LENGTHS = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

describe('lines', () => {
  const split = (pieces: Iterable<string>, longest = 100) => {
    const lines: string[] = []
    const splitter = createLineSplitter({
      longest,
      onLine: (line, number) => {
        lines.push(line)
        expect(number).toBe(lines.length)
      },
    })
    for (const piece of pieces) splitter.feed(piece)
    return { lines, fault: splitter.findFault() }
  }

  it('are the same however the text was cut', () => {
    const line = fc.string().map((text) => text.replaceAll('\n', ''))
    fc.assert(
      fc.property(fc.array(line), LENGTHS, (lines, lengths) => {
        const text = lines.map((one) => `${one}\n`).join('')
        expect(split(piecesOf(text, lengths), 1_000)).toEqual({ lines, fault: undefined })
      }),
    )
  })

  it('that are cut off are none, and said', () => {
    expect(split(['a 1\nb 12'])).toEqual({ lines: ['a 1'], fault: 'ends within a line' })
  })

  it('have a longest', () => {
    expect(split(['a\n', 'b'.repeat(60), 'b'.repeat(60), '\nc\n'])).toEqual({
      lines: ['a'],
      fault: 'has a line longer than 100 characters',
    })
  })
})

describe('parts of JSON', () => {
  const split = (pieces: Iterable<string>, longest = 10_000) => {
    const parts: (readonly [string, unknown])[] = []
    const splitter = createJsonSplitter({
      members: ['node', 'kind'],
      lists: ['pods'],
      longest,
      onPart: (name, text) => parts.push([name, JSON.parse(text)]),
    })
    for (const piece of pieces) splitter.feed(piece)
    return { parts, fault: splitter.findFault() }
  }

  it('are those that JSON.parse finds, however the text was cut', () => {
    const value = fc.jsonValue({ depthSize: 'small' })
    const object = fc.record(
      { node: value, pods: fc.array(value), other: value, items: fc.array(value), kind: value },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, '\t'), LENGTHS, (given, indent, lengths) => {
        const { parts, fault } = split(piecesOf(JSON.stringify(given, undefined, indent), lengths), 1e6)
        expect(fault).toBeUndefined()
        const known = JSON.parse(JSON.stringify(given)) as typeof given
        expect(parts.filter(([name]) => name === 'pods').map(([, part]) => part)).toEqual(known.pods ?? [])
        for (const name of ['node', 'kind'] as const)
          expect(parts.filter((part) => part[0] === name)).toEqual(name in known ? [[name, known[name]]] : [])
      }),
      { numRuns: 500 },
    )
  })

  it('may have brackets, quotes and commas in their texts, and lists within', () => {
    const given = { pods: [{ a: '],}"\\', pods: [1, [2], { pods: [3] }] }, [], 5], node: '{"' }
    expect(split([JSON.stringify(given)]).parts).toEqual([
      ...given.pods.map((pod) => ['pods', pod]),
      ['node', '{"'],
    ])
  })

  it('may be cut at every sign, between a backslash and its quote too', () => {
    const text = String.raw`{"pods":[{"a":"x\"]},"},"b"],"node":"\\"}`
    const parts = [
      ['pods', { a: 'x"]},' }],
      ['pods', 'b'],
      ['node', '\\'],
    ]
    expect(split(text)).toEqual({ parts, fault: undefined })
    for (let at = 1; at < text.length; at++)
      expect(split([text.slice(0, at), text.slice(at)])).toEqual({ parts, fault: undefined })
  })

  it('a list of another kind gives no items', () => {
    expect(split(['{"pods":{"a":[1]},"node":1}'])).toEqual({ parts: [['node', 1]], fault: undefined })
    expect(split(['{"pods":[],"node":[]}'])).toEqual({ parts: [['node', []]], fault: undefined })
  })

  it.each([
    ['', 'ends before its end'],
    [' \n', 'ends before its end'],
    ['{"pods":[{"a":1}', 'ends before its end'],
    ['{"pods":["a', 'ends before its end'],
    ['[1]', 'is no JSON object'],
    ['<html>', 'is no JSON object'],
    [`{"node":"${'x'.repeat(200)}"}`, 'has a part longer than 100 characters'],
  ])('%s: the whole %s', (text, fault) => {
    expect(split([text], 100).fault).toBe(fault)
  })
})
