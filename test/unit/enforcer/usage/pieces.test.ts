/** Long answers in pieces: lines that matter, and parts of a JSON object. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createJsonSplitter } from '../../../../enforcer/core/jsonSplitter.ts'
import { createLineFinder, type LineOptions } from '../../../../enforcer/core/lines.ts'

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
  type Which = Partial<Pick<LineOptions, 'beginnings' | 'head' | 'longest'>>
  const find = (pieces: Iterable<Uint8Array>, which: Which = {}) => {
    const lines: string[] = []
    const finder = createLineFinder({
      ...{ longest: 100, beginnings: [], head: Number.POSITIVE_INFINITY, ...which },
      onLine: (line) => lines.push(line),
    })
    for (const piece of pieces) finder.feed(Buffer.from(piece))
    return { lines, fault: finder.findFault() }
  }
  /** The text's bytes in pieces of these lengths, over and over: within a sign of more than one byte, too. */
  function* bytesOf(text: string, lengths: readonly number[]): Iterable<Uint8Array> {
    for (const piece of piecesOf(Buffer.from(text).toString('latin1'), lengths))
      yield Buffer.from(piece, 'latin1')
  }
  const line = fc
    .tuple(fc.constantFrom('ab', 'a', 'b', '\r', '\u2028ab', ' ab', 'ä', ''), fc.string({ unit: 'binary' }))
    .map((parts) => parts.join('').replaceAll('\n', ''))

  it('are the same however the text was cut', () => {
    fc.assert(
      fc.property(fc.array(line), LENGTHS, (lines, lengths) => {
        const text = lines.map((one) => `${one}\n`).join('')
        expect(find(bytesOf(text, lengths), { longest: 1_000 })).toEqual({ lines, fault: undefined })
      }),
    )
  })

  it('come by how they begin, and those of the head whatever they are', () => {
    const beginnings = ['ab', 'b']
    fc.assert(
      fc.property(fc.array(line), LENGTHS, fc.nat(4), (lines, lengths, head) => {
        const text = lines.map((one) => `${one}\n`).join('')
        const wanted = lines.filter(
          (one, index) => index < head || beginnings.some((beginning) => one.startsWith(beginning)),
        )
        const found = find(bytesOf(text, lengths), { longest: 1_000, beginnings, head })
        expect(found.lines.toSorted()).toEqual(wanted.toSorted())
        expect(found.fault).toBeUndefined()
      }),
    )
  })

  it('that are cut off are none, and said', () => {
    expect(find([Buffer.from('a 1\nb 12')])).toEqual({ lines: ['a 1'], fault: 'ends within a line' })
  })

  it('have a longest', () => {
    const pieces = ['a\n', 'b'.repeat(60), 'b'.repeat(60), 'c'.repeat(60), '\nc\n'].map((text) =>
      Buffer.from(text),
    )
    expect(find(pieces)).toEqual({ lines: ['a'], fault: 'has a line longer than 100 bytes' })
  })

  it('do not change with the bytes that they were read from', () => {
    const bytes = Buffer.from('a 1\nb')
    const lines: string[] = []
    const finder = createLineFinder({
      longest: 100,
      beginnings: ['b'],
      head: 0,
      onLine: (line) => lines.push(line),
    })
    finder.feed(bytes)
    bytes.fill('x')
    finder.feed(Buffer.from(' 2\n'))
    expect(lines).toEqual(['b 2'])
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
