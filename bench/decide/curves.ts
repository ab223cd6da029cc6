/** Curves: how they grow, in a word, and as a picture. Pure. */

export interface Point {
  readonly x: number
  /** Microseconds. */
  readonly y: number
}

export interface Curve {
  readonly name: string
  readonly points: readonly Point[]
}

/**
 * How the cost grows over the last tenfold or so, as the slope of the curve with both axes logarithmic: 0 where it does not hang on
 * what grows, 1 where it is in proportion.
 */
export function findGrowth(points: readonly Point[]): string {
  const slope = findSlope(points)
  if (slope < 0.15) return `nothing: flat (exponent ${slope.toFixed(2)})`
  return slope < 1.15
    ? `at most tenfold: linear or less (exponent ${slope.toFixed(2)})`
    : `MORE than tenfold (exponent ${slope.toFixed(2)})`
}

function findSlope(points: readonly Point[]): number {
  const last = points.at(-1)
  const before = last && points.findLast(({ x }) => x <= last.x / 4)
  if (last === undefined || before === undefined) throw new TypeError('too few points')
  return Math.log(last.y / before.y) / Math.log(last.x / before.x)
}

const PANEL = { width: 300, height: 190, left: 46, bottom: 34, top: 26, right: 12 }
const COLUMNS = 3

/** One panel each, both axes logarithmic. */
export function drawCurves(curves: readonly Curve[]): string {
  const rows = Math.ceil(curves.length / COLUMNS)
  const [width, height] = [COLUMNS * PANEL.width, rows * PANEL.height]
  const panels = curves.map((curve, index) => {
    const [x, y] = [(index % COLUMNS) * PANEL.width, Math.floor(index / COLUMNS) * PANEL.height]
    return `<g transform="translate(${x} ${y})">\n${drawPanel(curve)}\n</g>`
  })
  const style =
    'text{font:10px sans-serif;fill:#444}.t{font-weight:bold}.a{stroke:#bbb;fill:none}.c{stroke:#1668b8;stroke-width:2;fill:none}.p{fill:#1668b8}'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Cost of a decision as things grow">`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    '</svg>\n',
  ].join('\n')
}

function drawPanel({ name, points }: Curve): string {
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  // At least two powers of ten, so that a flat curve looks it.
  const low = 10 ** Math.floor(Math.log10(Math.min(...ys)))
  const high = Math.max(low * 100, 10 ** Math.ceil(Math.log10(Math.max(...ys))))
  const toX = scaleOf([Math.min(...xs), Math.max(...xs)], [PANEL.left, PANEL.width - PANEL.right])
  const toY = scaleOf([low, high], [PANEL.height - PANEL.bottom, PANEL.top])
  const places = points.map(({ x, y }) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`)
  const powers = Array.from(
    { length: Math.round(Math.log10(high / low)) + 1 },
    (_, index) => low * 10 ** index,
  )
  return [
    `<text class="t" x="${PANEL.left}" y="14">${name}</text>`,
    ...powers.map(
      (power) =>
        `<path class="a" d="M${PANEL.left} ${toY(power).toFixed(1)}H${PANEL.width - PANEL.right}"/><text x="${PANEL.left - 4}" y="${(toY(power) + 3).toFixed(1)}" text-anchor="end">${formatNumber(power)} µs</text>`,
    ),
    ...xs.map(
      (x) =>
        `<text x="${toX(x).toFixed(1)}" y="${PANEL.height - PANEL.bottom + 14}" text-anchor="middle">${formatNumber(x)}</text>`,
    ),
    `<polyline class="c" points="${places.join(' ')}"/>`,
    ...points.map(
      ({ x, y }) => `<circle class="p" cx="${toX(x).toFixed(1)}" cy="${toY(y).toFixed(1)}" r="3"/>`,
    ),
  ].join('\n')
}

type Range = readonly [number, number]

const scaleOf =
  ([from, to]: Range, [start, end]: Range) =>
  (value: number): number =>
    start + ((end - start) * Math.log(value / from)) / Math.log(to / from)

const formatNumber = (value: number): string =>
  value >= 1e6 ? `${value / 1e6} M` : value >= 1000 ? `${value / 1000} k` : String(value)
