import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../../contract/problem.ts'
import { rootField } from '../../../contract/reader.ts'
import { formatLength, parseLength } from '../../../webhook/policy/duration.ts'
import { loadPolicies } from '../../../webhook/policy/load.ts'
import { readPolicy } from '../../../webhook/policy/parse.ts'
import type { Adaptive } from '../../../webhook/policy/policy.ts'
import { policiesOf, policyObject, policyText } from '../../support/policies.ts'

const adaptiveOf = (fields: string): Adaptive | undefined => {
  const rule = policiesOf(policyText('p', `{name: r, ${fields}}`)).get('p')?.rules[0]
  return rule?.exempt === false ? rule.adaptive : undefined
}

function problemsOf(fields: string): readonly string[] {
  const loaded = loadPolicies([{ name: 'f', text: policyText('p', `{name: r, ${fields}}`) }])
  return loaded.ok
    ? []
    : loaded.problems.map((problem) => formatProblem(problem).replace('f: spec.rules[0].adaptive', 'A'))
}

const WINDOW = 'over: 15m, above: {iops: 800}, limit: {iops: 500}'

describe('adaptive', () => {
  test('is absent from a rule that does not have it', () => {
    expect(adaptiveOf('max: {iops: 5}')).toBeUndefined()
  })

  test('has defaults', () => {
    expect(
      adaptiveOf('adaptive: {windows: [{over: 15m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}]}'),
    ).toEqual({
      mode: 'enforce',
      windows: [{ over: 900_000, text: '15m', above: { writeIOPS: 800n }, limit: { writeIOPS: 500n } }],
      hold: 900_000,
      release: { below: 0.5, for: 600_000 },
    })
  })

  test('has everything, the shortest window first', () => {
    expect(
      adaptiveOf(
        'adaptive: {mode: report, hold: 1h30m, release: {below: 0.25, for: 90s}, windows: [{over: 60m, above: {bps: 50Mi}, limit: {readBPS: 1M}}, {over: 10s, above: {iops: "7", readIOPS: 9}, limit: {iops: 6}}]}',
      ),
    ).toEqual({
      mode: 'report',
      windows: [
        {
          over: 10_000,
          text: '10s',
          above: { readIOPS: 9n, writeIOPS: 7n },
          limit: { readIOPS: 6n, writeIOPS: 6n },
        },
        {
          over: 3_600_000,
          text: '60m',
          above: { readBPS: 52_428_800n, writeBPS: 52_428_800n },
          limit: { readBPS: 1_000_000n },
        },
      ],
      hold: 5_400_000,
      release: { below: 0.25, for: 90_000 },
    })
  })

  test('takes part of the release', () => {
    expect(adaptiveOf(`adaptive: {windows: [{${WINDOW}}], release: {for: 1m}}`)?.release).toEqual({
      below: 0.5,
      for: 60_000,
    })
  })

  const STATE = 'write one or more of iops, readIOPS, writeIOPS, bps, readBPS, writeBPS'
  test.each([
    ['adaptive: []', ['A: is a list, not a map; write a map of keys and values']],
    ['adaptive: {}', ['A.windows: is missing, not a list; write a list']],
    ['adaptive: {windows: []}', ['A.windows: is empty; write at least one window']],
    [
      'adaptive: {windows: [5]}',
      ['A.windows[0]: "5" is a number, not a map; write a map of keys and values'],
    ],
    [
      `adaptive: {windows: [{${WINDOW}}], on: true}`,
      ['A.on: "true" is not a field here; remove it, or write one of mode, windows, hold, release'],
    ],
    [
      `adaptive: {windows: [{${WINDOW}, for: 5m}]}`,
      ['A.windows[0].for: "5m" is not a field here; remove it, or write one of over, above, limit'],
    ],
    [
      'adaptive: {windows: [{}]}',
      [
        'A.windows[0].over: is missing, not a text; write a text, in quotes where it looks like a number',
        `A.windows[0].above: is missing; ${STATE}`,
        `A.windows[0].limit: is missing; ${STATE}`,
      ],
    ],
    [
      'adaptive: {windows: [{over: 15m, above: {}, limit: {iops: max}}]}',
      [
        `A.windows[0].above: states nothing; ${STATE}`,
        'A.windows[0].limit.iops: "max" is no bound; leave the field out where there is no limit',
      ],
    ],
    [
      'adaptive: {windows: [{over: 15m, above: {iops: 800}, limit: {writeIOPS: 900}}]}',
      [
        'A.windows[0].limit.writeIOPS: "900" is above the threshold of writeIOPS, 800 at spec.rules[0].adaptive.windows[0].above.iops; lower it or raise the other',
      ],
    ],
    [
      `max: {readIOPS: 400}, adaptive: {windows: [{${WINDOW}}]}`,
      [
        'A.windows[0].limit.iops: "500" is above the max of readIOPS, 400 at spec.rules[0].max.readIOPS; lower it or raise the other',
      ],
    ],
    [
      `min: {writeIOPS: 600}, adaptive: {windows: [{${WINDOW}}]}`,
      [
        'A.windows[0].limit.iops: "500" is below the min of writeIOPS, 600 at spec.rules[0].min.writeIOPS; raise it or lower the other',
      ],
    ],
    [
      'adaptive: {windows: [{over: 60m, above: {iops: 5}, limit: {iops: 5}}, {over: 1h, above: {iops: 5}, limit: {iops: 5}}]}',
      ['A.windows[1].over: "1h" is as long as an earlier window; give each its own length'],
    ],
    [
      'adaptive: {windows: [{over: x, above: {iops: 5}, limit: {iops: 5}}, {over: y, above: {iops: 5}, limit: {iops: 5}}]}',
      [
        'A.windows[0].over: "x" is not a length of time; write such as 90s, 15m or 1h30m',
        'A.windows[1].over: "y" is not a length of time; write such as 90s, 15m or 1h30m',
      ],
    ],
    [
      `adaptive: {windows: [${Array.from({ length: 9 }, (_, index) => `{over: ${index + 1}m, above: {iops: 5}, limit: {iops: 5}}`).join(', ')}]}`,
      ['A.windows: has 9 windows; leave at most 8 of them'],
    ],
    [
      `adaptive: {mode: dry, hold: 9s, release: {below: 1, for: 25h}, windows: [{${WINDOW}}]}`,
      [
        'A.mode: "dry" is not a mode; write enforce or report',
        'A.hold: "9s" is not between 10s and 24h; write such as 90s, 15m or 1h30m',
        'A.release.below: "1" is not a fraction between 0 and 1; write such as 0.5: half of what is imposed',
        'A.release.for: "25h" is not between 10s and 24h; write such as 90s, 15m or 1h30m',
      ],
    ],
    [
      `adaptive: {release: 0.5, windows: [{${WINDOW}}]}`,
      ['A.release: "0.5" is a number, not a map; write a map of keys and values'],
    ],
    [
      `adaptive: {release: {below: "0.5"}, windows: [{${WINDOW}}]}`,
      [
        'A.release.below: "0.5" is not a fraction between 0 and 1; write such as 0.5: half of what is imposed',
      ],
    ],
    [
      `exempt: true, adaptive: {windows: [{${WINDOW}}]}`,
      ['A: has no effect in a rule with exempt: true; remove it, or remove exempt'],
    ],
  ])('{%s} is refused', (fields, problems) => {
    expect(problemsOf(fields)).toEqual(problems)
  })
})

describe('adaptive in an object of the API', () => {
  const read = (below: unknown, windows = 1) => {
    const of = { writeIOPS: 500 }
    const adaptive = {
      windows: Array.from({ length: windows }, (_, index) => ({
        over: `${index + 1}m`,
        above: of,
        limit: of,
      })),
      release: { below },
    }
    const spec = { rules: [{ name: 'r', max: of, min: of, adaptive }] }
    const root = rootField(policyObject(spec), '')
    const rule = readPolicy(root)?.rules[0]
    return { problems: root.problems.map(formatProblem), ...(rule?.exempt === false && { rule }) }
  }

  test.each([0.001, 0.5, 0.999])('is released below %d of what is imposed', (below) => {
    expect(read(below)).toMatchObject({
      problems: [],
      rule: { adaptive: { release: { below }, windows: [{ above: { writeIOPS: 500n } }] } },
    })
  })

  test.each([0, 1, -0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('but not below %d', (below) => {
    expect(read(below).problems).toEqual([
      `spec.rules[0].adaptive.release.below: "${below}" is not a fraction between 0 and 1; write such as 0.5: half of what is imposed`,
    ])
  })

  test('has eight windows at most', () => {
    expect(read(0.5, 8).rule?.adaptive?.windows).toHaveLength(8)
    expect(read(0.5, 9).problems).toEqual([
      'spec.rules[0].adaptive.windows: has 9 windows; leave at most 8 of them',
    ])
  })
})

describe('lengths of time', () => {
  test.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1h0m1s', 3_601_000],
    ['007m', 420_000],
  ])('%s', (text, length) => {
    expect(parseLength(text)).toBe(length)
  })

  test.each(['', 'm', '15', '1.5m', '-1m', '1m1h', ' 1m', '1M', '500ms', '100000s', '1h\n', '١m'])(
    '%j is none',
    (text) => {
      expect(parseLength(text)).toBeUndefined()
    },
  )

  test('are read as they are written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), (seconds) => {
        expect(parseLength(formatLength(seconds * 1000))).toBe(seconds * 1000)
      }),
    )
    expect([0, 90_000, 5_400_000].map(formatLength)).toEqual(['0s', '1m30s', '1h30m'])
  })
})
