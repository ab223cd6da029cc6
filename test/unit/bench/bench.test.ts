import { describe, expect, it } from 'vitest'
import { drawCurves, findGrowth } from '../../../bench/decide/curves.ts'
import { findSlope, type Sample } from '../../../bench/soak/slope.ts'
import { formatTable, medianOf, type Row } from '../../../bench/webhook/table.ts'

describe('the table', () => {
  const row = (name: string, perSecond: number, cpu: number): Row => ({
    ...{ name, connections: 1, perSecond, cpu },
    ...{ p50: 1, p99: 2, rss: 100 },
  })

  it('has ratios to the floor, and of ours to each', () => {
    const lines = formatTable([row('ours', 700, 20), row('floor', 1000, 10)], 'ours', 'floor').split('\n')
    expect(lines.slice(2)).toEqual([
      '| ours | 700 | 0.70 | 1.00× | 1.00 | 2.00 | 1.00 | 20 | 2.00 | 100 | 1.00 |',
      '| floor | 1000 | 1.00 | 0.70× | 1.00 | 2.00 | 1.00 | 10 | 1.00 | 100 | 1.00 |',
    ])
  })

  it('needs both', () => {
    expect(() => formatTable([], 'ours', 'floor')).toThrow('neither ours nor floor may be missing')
  })

  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
  ])('takes of %j the middle', (numbers, median) => expect(medianOf(numbers)).toBe(median))
})

describe('curves', () => {
  const curve = (exponent: number) => [1, 10, 100, 1000].map((x) => ({ x, y: 2 * x ** exponent }))

  it.each([
    [0, 'nothing: flat (exponent 0.00)'],
    [0.5, 'at most tenfold: linear or less (exponent 0.50)'],
    [1, 'at most tenfold: linear or less (exponent 1.00)'],
    [2, 'MORE than tenfold (exponent 2.00)'],
  ])('of exponent %d cost %s', (exponent, words) => expect(findGrowth(curve(exponent))).toBe(words))

  it('of one point say nothing', () => {
    expect(() => findGrowth([{ x: 1, y: 1 }])).toThrow('too few points')
  })

  it('are drawn, a panel each', () => {
    const picture = drawCurves([{ name: 'rules', points: curve(1) }])
    expect(picture).toContain('<text class="t" x="46" y="14">rules</text>')
    expect(picture.match(/<circle/g)).toHaveLength(4)
  })
})

it('a slope is by the hour', () => {
  const samples = [0, 0.5, 1].map((hours): Sample => ({ hours, rss: 100 + 7 * hours, heap: 5, handles: 1 }))
  expect(findSlope(samples, ({ rss }) => rss)).toBeCloseTo(7)
  expect(findSlope(samples, ({ heap }) => heap)).toBeCloseTo(0)
})
