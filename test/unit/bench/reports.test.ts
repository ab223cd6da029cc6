import { describe, expect, it } from 'vitest'
import { formatRounds, type Round } from '../../../bench/apiserver/report.ts'
import { formatLives, type Life } from '../../../bench/enforcer/report.ts'
import { extrapolate, findUnits, type Phase, type Units } from '../../../bench/scale/paper.ts'
import { formatPaper, formatPhases } from '../../../bench/scale/report.ts'

/** Without the head. */
const rowsOf = (table: string): readonly string[] => table.split('\n').slice(2)

it('rounds become medians, ratios to no webhook and to the floor', () => {
  const round = (way: string, post: number, called: number): Round => ({
    ...{ way, clients: 1, post, called },
    ...{ p50: 1, p99: 2, perSecond: 100 },
  })
  const rounds = [
    round('none', 2, 0),
    round('floor', 3, 1),
    round('ours', 4, 1.5),
    round('ours', 6, 2.5),
    round('ours', 5, 2),
  ]
  expect(rowsOf(formatRounds(rounds, 'none', new Map([['ours', 'floor']])))).toEqual([
    '| none | 2.00 | 1.00 |  |  |  | 1.00 | 2.00 | 100 |',
    '| floor | 3.00 | 1.50 | 1.00 | 1.00 |  | 1.00 | 2.00 | 100 |',
    '| ours | 5.00 | 2.50 | 3.00 | 2.00 | 2.00 | 1.00 | 2.00 | 100 |',
  ])
})

it('lives become medians by tree and size, and a share of a core', () => {
  const life = (firstLimit: number): Life => ({
    ...{ tree: 'v1', pods: 10, firstLimit, lastLimit: 200, pass: 5, passCpu: 20 },
    ...{ lineCpu: 0.1, podCpu: 2, containers: [2, 1, 4], rss: 60, most: 70 },
  })
  expect(rowsOf(formatLives([life(100), life(300), life(150)], 10))).toEqual([
    '| v1, 10 pods | 150 | 200 | 5.0 | 20.0 | 0.20 | 0.10 | 2.00 | 2.0 | 4.0 | 60 | 70 |',
  ])
})

const phase = (name: string, seconds: number, objects: number, more: Partial<Phase> = {}): Phase => ({
  ...{ name, seconds, objects, rss: 100, slowest: 10 },
  enforcers: { calls: 0, down: 0, up: 0 },
  webhook: { calls: 0, down: 0, up: 0 },
  ...more,
})

describe('on paper', () => {
  const phases = [
    phase('begin', 10, 500, { enforcers: { calls: 1000, down: 4_000, up: 0 } }),
    phase('rest', 10, 0),
    phase('churn', 10, 100),
    phase('look', 2, 900, { webhook: { calls: 2, down: 9_000, up: 0 } }),
    phase('write', 5, 100, {
      webhook: { calls: 100, down: 3_000, up: 1_000 },
      enforcers: { calls: 0, down: 700, up: 0 },
    }),
    phase('hurry', 9, 900),
  ]
  const units: Units = {
    listedByEnforcer: 4,
    examined: 10,
    examining: 2 / 900,
    written: 20,
    told: 7,
    fastest: 100,
  }

  it('a unit is what one thing costs', () => {
    expect(findUnits(phases, { nodes: 500, pods: 1_000 })).toEqual(units)
  })

  it('needs every phase', () => {
    expect(() => findUnits(phases.slice(0, 2), { nodes: 1, pods: 1 })).toThrow(
      'of the phases there are only begin, rest',
    )
  })

  const DEFAULTS = { qps: 40, interval: 300, replicas: 2, share: 0.1 }
  const valueOf = (what: string, given = DEFAULTS): number | undefined =>
    extrapolate({ nodes: 4_500, pods: 90_000 }, units, given).find((line) => line.what.startsWith(what))
      ?.value

  it.each([
    ['watches', 4_504],
    ['of them reopened', 10],
    ['calls of the replicas', 1],
    ['a full pass', 200],
    ['lists of that pass', 0.9],
    ['lists of full passes', 0.003],
    ['all pods rewritten after', 37.5],
    ['all pods rewritten, as fast', 15],
  ])('%s: %d', (what, value) => expect(valueOf(what)).toBeCloseTo(value))

  it('nothing is written faster than it can be', () => {
    expect(valueOf('all pods rewritten after', { ...DEFAULTS, qps: 1000 })).toBe(15)
  })

  it('sizes stand side by side', () => {
    const lines = [
      { what: 'watches', value: 4_504, unit: '' },
      { what: 'a pass', value: 0.123, unit: 's' },
    ]
    expect(rowsOf(formatPaper(new Map([['small', lines]])))).toEqual([
      '| watches | 4504 |',
      '| a pass, s | 0.12 |',
    ])
    expect(formatPaper(new Map())).toContain('|')
  })

  it('phases are told by the second', () => {
    expect(rowsOf(formatPhases(phases.slice(3, 4)))).toEqual([
      '| look | 2.0 | 900 | 0.0 | 0.0 | 0.0 | 1.0 | 4.5 | 0.0 | 100 | 10 |',
    ])
  })
})
