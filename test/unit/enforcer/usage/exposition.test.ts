import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Dialect, parseExpositionLine, parseFloatText } from '../../../../enforcer/core/exposition.ts'
import {
  escapeHelp,
  NAMES,
  SAMPLES,
  STYLES,
  type WrittenSample,
  writeSample,
} from '../../../support/usage/expositionWriter.ts'

const toSample = ({ name, labels, value, timestamp, exemplar }: WrittenSample) => ({
  name,
  labels: new Map(labels),
  value: value + 0,
  ...(timestamp !== undefined && { timestamp }),
  ...(exemplar && {
    exemplar: {
      labels: new Map(exemplar.labels),
      value: exemplar.value + 0,
      ...(exemplar.at !== undefined && { timestamp: exemplar.at * 1000 }),
    },
  }),
})

const sampleOf = (line: string, dialect: Dialect = 'text') => {
  const parsed = parseExpositionLine(line, { dialect })
  if (parsed.kind !== 'sample') throw new Error(JSON.stringify(parsed))
  return { ...parsed.sample, labels: Object.fromEntries(parsed.sample.labels) }
}

const mistakeOf = (line: string): string => {
  const parsed = parseExpositionLine(line)
  return parsed.kind === 'mistake' ? parsed.reason : parsed.kind
}

describe('samples', () => {
  it('are read as they were written, in any spelling', () => {
    fc.assert(
      fc.property(SAMPLES, STYLES, (sample, style) => {
        const parsed = parseExpositionLine(writeSample(sample, style))
        expect(parsed).toEqual({ kind: 'sample', sample: toSample(sample) })
      }),
      { numRuns: 2_000 },
    )
  })

  it('never break the parser, whatever the line', () => {
    const alphabet = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      ',',
      '=',
      ' ',
      '#',
      '1',
      '.',
      'HELP',
      'n',
      '\t',
    )
    fc.assert(
      fc.property(fc.string({ unit: alphabet }), (line) => {
        expect(['sample', 'help', 'type', 'unit', 'nothing', 'mistake']).toContain(
          parseExpositionLine(line).kind,
        )
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['up 1', { name: 'up', labels: {}, value: 1 }],
    ['up{} 1', { name: 'up', labels: {}, value: 1 }],
    ['up{a="b",} NaN', { name: 'up', labels: { a: 'b' }, value: Number.NaN }],
    ['up{a="b"}+Inf -5', { name: 'up', labels: { a: 'b' }, value: Infinity, timestamp: -5 }],
    ['up .5e-3', { name: 'up', labels: {}, value: 0.0005 }],
    ['up 6.57637376e+08', { name: 'up', labels: {}, value: 657637376 }],
    ['x{p="C:\\\\d \\"q\\" a\\nb"} -inf', { name: 'x', labels: { p: 'C:\\d "q" a\nb' }, value: -Infinity }],
    ['x{p="\\d\\\\n"} 1', { name: 'x', labels: { p: '\\d\\n' }, value: 1 }],
    ['{"a name",b="c"} 1', { name: 'a name', labels: { b: 'c' }, value: 1 }],
    ['x{"a.b"="c"} 1', { name: 'x', labels: { 'a.b': 'c' }, value: 1 }],
  ])('%s', (line, expected) => {
    expect(sampleOf(line)).toEqual(expected)
  })

  it('of OpenMetrics tell times in seconds', () => {
    expect(sampleOf('x 1 1520879607.789', 'openmetrics').timestamp).toBe(1520879607789)
    expect(parseExpositionLine('x 1 never', { dialect: 'openmetrics' })).toEqual({
      kind: 'mistake',
      reason: 'has a time that is none: "never"',
    })
    expect(parseExpositionLine('x 1 NaN', { dialect: 'openmetrics' }).kind).toBe('mistake')
  })

  it('that nobody wants are passed over, however they go on', () => {
    const wants = (name: string): boolean => name === 'up'
    expect(parseExpositionLine('down{broken', { wants })).toEqual({ kind: 'nothing' })
    expect(parseExpositionLine('{"down"} 1', { wants })).toEqual({ kind: 'nothing' })
    expect(parseExpositionLine('up 1', { wants }).kind).toBe('sample')
  })
})

describe('comments', () => {
  it('tell help and types', () => {
    fc.assert(
      fc.property(NAMES, fc.string({ unit: 'binary' }), (name, text) => {
        const shown = text.trimStart()
        expect(parseExpositionLine(`# HELP ${name} ${escapeHelp(shown)}`)).toEqual({
          kind: 'help',
          name,
          text: shown,
        })
      }),
    )
    expect(parseExpositionLine('#  TYPE\tup  counter ')).toEqual({
      kind: 'type',
      name: 'up',
      text: 'counter',
    })
    expect(parseExpositionLine('# UNIT x_seconds seconds')).toEqual({
      kind: 'unit',
      name: 'x_seconds',
      text: 'seconds',
    })
    expect(parseExpositionLine('# HELP up C:\\\\d\\n\\"q\\"')).toEqual({
      kind: 'help',
      name: 'up',
      text: 'C:\\d\n"q"',
    })
    expect(parseExpositionLine('# HELP "a name" b')).toEqual({ kind: 'help', name: 'a name', text: 'b' })
  })

  it.each(['', ' \t', '#', '# anything', '# EOF', '# HELPER x y'])('%j is nothing', (line) => {
    expect(parseExpositionLine(line)).toEqual({ kind: 'nothing' })
  })
})

it.each([
  ['1up 1', 'does not begin with the name of a metric'],
  ['{a="b"} 1', 'does not begin with the name of a metric'],
  ['up', 'has no value'],
  ['up{a="b"}', 'has no value'],
  ['up one', 'has a value that is no number: "one"'],
  ['up 0x1p-2', 'has a value that is no number: "0x1p-2"'],
  ['up 1_000', 'has a value that is no number: "1_000"'],
  ['up 1 2.5', 'has a time that is none: "2.5"'],
  ['up 1 2 3', 'goes on after its time'],
  ['up{a="b" 1', 'has labels that do not end'],
  ['up{a="b', 'has a label whose value is not in quotes: "a"'],
  ['up{a=b} 1', 'has a label whose value is not in quotes: "a"'],
  ['up{a} 1', 'has a label without a value: "a"'],
  ['up{"a"} 1', 'has a label without a value: "a"'],
  ['{"a","b"} 1', 'has a label without a value: "b"'],
  ['up{="b"} 1', 'has a label without a name'],
  ['up{', 'has a label without a name'],
  ['up{a="b",a="c"} 1', 'has the label "a" twice'],
  ['# HELP', 'is a HELP line without the name of a metric'],
  ['# TYPE up sometimes', 'is a TYPE line of no known type'],
  ['up 1 # 5', 'has an exemplar without labels'],
  ['up 1 # {a} 5', 'has a label without a value: "a"'],
  ['up 1 # {a="b"}', 'has an exemplar that has no value'],
])('%s: %s', (line, reason) => {
  expect(mistakeOf(line)).toBe(reason)
})

it.each([
  ['+5', 5],
  ['1.', 1],
  ['Infinity', Infinity],
  ['-nan', Number.NaN],
  ['', undefined],
  ['.', undefined],
  ['1e', undefined],
])('the number %s', (text, value) => {
  expect(parseFloatText(text)).toEqual(value)
})
