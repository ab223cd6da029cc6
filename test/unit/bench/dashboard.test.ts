import { describe, expect, it } from 'vitest'
import { readCharts } from '../../../bench/dashboard/charts.ts'
import { type Chart, drawDashboard, type Line } from '../../../bench/dashboard/picture.ts'

const SPAN = { whole: 180, step: 1 }
const line = (name: string, points: Line['points'], isDashed = false): Line => ({ name, points, isDashed })
const chart = (unit: string, ...lines: readonly Line[]): Chart => ({ title: 'Usage', unit, lines })
const draw = (...charts: readonly Chart[]): string => drawDashboard(charts, SPAN, 'One run.')

describe('the picture', () => {
  it('has a panel for each chart, three in a row, and what is told below', () => {
    const picture = draw(...Array<Chart>(4).fill(chart('iops')))
    expect(picture.match(/<g transform="[^"]+"/g)).toEqual([
      '<g transform="translate(0 0)"',
      '<g transform="translate(360 0)"',
      '<g transform="translate(720 0)"',
      '<g transform="translate(0 240)"',
    ])
    expect(picture).toContain('>One run.</text>')
    expect(picture.match(/nothing to tell in this run/g)).toHaveLength(4)
  })

  it.each([
    ['iops', 700, '800 io/s'],
    ['iops', 12_000, '12 k io/s'],
    ['percentunit', 0.97, '100 %'],
    ['s', 0.003, '3 ms'],
    ['s', 7 * 86_400, '8 d'],
    ['s', 3600, '66.7 min'],
    ['short', 0, '1'],
  ])('names the top of an axis in %s with %d on it: %s', (unit, value, expected) => {
    expect(draw(chart(unit, line('a', [[0, value]])))).toContain(`text-anchor="end">${expected}</text>`)
  })

  it('breaks a line where samples are missing, and dashes that of a limit', () => {
    const points = [0, 1, 2, 60, 61].map((x) => [x, 1] as const)
    const picture = draw(chart('iops', line('limit', points, true)))
    expect(/class="c d" stroke="#1668b8" d="([^"]+)"/.exec(picture)?.[1]?.replaceAll(/[^ML]/g, '')).toBe(
      'MLLML',
    )
  })

  it('names eight lines, and says how many more there are', () => {
    const lines = Array.from({ length: 10 }, (_, index) => line(`<${index}>`, [[0, index]]))
    const picture = draw(chart('iops', ...lines))
    expect(picture).toContain('>&lt;7&gt;</text>')
    expect(picture).not.toContain('&lt;8&gt;')
    expect(picture).toContain('>and 2 more</text>')
  })
})

describe('the charts', () => {
  const range = { start: 1000, end: 1180, step: 5 }

  it("are the dashboard's own queries, their answers from the start on, without what is never more than 0", async () => {
    const asked: string[] = []
    const charts = await readCharts(
      {
        queryRange: (expr, given) => {
          expect(given).toBe(range)
          asked.push(expr)
          const labels = { namespace: 'rec', pod: 'web', direction: 'read' }
          return Promise.resolve([
            {
              labels,
              points: [
                [1000, 0],
                [1005, 2],
                [1010, Number.NaN],
              ] as const,
            },
            { labels, points: [[1000, 0]] as const },
          ])
        },
      },
      range,
      20,
    )
    expect(asked.join('\n')).not.toMatch(/\$[a-z_]/)
    expect(asked.filter((expr) => expr.includes('[20s]')).length).toBeGreaterThan(5)
    expect(charts.find(({ title }) => title === 'Operations and their limit')).toEqual({
      ...{ title: 'Operations and their limit', unit: 'iops' },
      lines: [
        {
          name: 'rec/web read',
          isDashed: false,
          points: [
            [0, 0],
            [5, 2],
          ],
        },
        {
          name: 'rec/web read limit',
          isDashed: true,
          points: [
            [0, 0],
            [5, 2],
          ],
        },
      ],
    })
  })
})
