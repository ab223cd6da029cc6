/** Panels of the dashboard as a picture. Pure. */

export interface Chart {
  readonly title: string
  /** One of Grafana's. */
  readonly unit: string
  readonly lines: readonly Line[]
}

export interface Line {
  readonly name: string
  readonly isDashed: boolean
  /** Seconds since the start, and the value. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** In seconds. */
export interface Span {
  readonly whole: number
  readonly step: number
}

const PANEL = { width: 360, height: 240, left: 50, bottom: 86, top: 26, right: 12 }
const COLUMNS = 3
const CAPTION = 24
const COLOURS = ['#1668b8', '#d1601f', '#2b8a3e', '#8a3ab9', '#b8860b', '#c2255c', '#0b7285']
/** Names that fit below a panel, so many in each of two columns. */
const ROWS = 4
const NAMES = 2 * ROWS

/** One panel each, time from left to right, and a line of words below them all. */
export function drawDashboard(charts: readonly Chart[], span: Span, caption: string): string {
  const [width, bottom] = [COLUMNS * PANEL.width, Math.ceil(charts.length / COLUMNS) * PANEL.height]
  const panels = charts.map((chart, index) => {
    const [x, y] = [(index % COLUMNS) * PANEL.width, Math.floor(index / COLUMNS) * PANEL.height]
    return `<g transform="translate(${x} ${y})">\n${drawPanel(chart, span)}\n</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + CAPTION}" role="img" aria-label="The main panels of the dashboard">`,
    '<style>text{font:10px sans-serif;fill:#444}.t{font-weight:bold}.a{stroke:#ddd;fill:none}.c{stroke-width:1.5;fill:none}.d{stroke-dasharray:5 3}</style>',
    `<rect width="${width}" height="${bottom + CAPTION}" fill="#fff"/>`,
    ...panels,
    `<text x="${PANEL.left}" y="${bottom + 10}">${escapeText(caption)}</text>`,
    '</svg>\n',
  ].join('\n')
}

function drawPanel({ title, unit, lines }: Chart, span: Span): string {
  const top = findTop(
    lines.flatMap(({ points }) => points.map(([, y]) => y)),
    unit,
  )
  const toX = (x: number): number => PANEL.left + (x / span.whole) * (PANEL.width - PANEL.left - PANEL.right)
  const toY = (y: number): number =>
    PANEL.height - PANEL.bottom - (y / top) * (PANEL.height - PANEL.bottom - PANEL.top)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = toY(top * share)
    return `<path class="a" d="M${PANEL.left} ${y.toFixed(1)}H${PANEL.width - PANEL.right}"/><text x="${PANEL.left - 4}" y="${(y + 3).toFixed(1)}" text-anchor="end">${formatValue(top * share, unit)}</text>`
  })
  const times = findTimes(span.whole).map(
    (x) =>
      `<text x="${toX(x).toFixed(1)}" y="${PANEL.height - PANEL.bottom + 13}" text-anchor="middle">${formatValue(x, 's')}</text>`,
  )
  const drawn = lines.map(({ points, isDashed }, index) => {
    const path = formatPath(points, span.step * 1.5, ([x, y]) => `${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`)
    return `<path class="c${isDashed ? ' d' : ''}" stroke="${colourOf(index)}" d="${path}"/>`
  })
  const heading = `<text class="t" x="${PANEL.left}" y="14">${escapeText(title)}</text>`
  return [heading, ...grid, ...times, ...drawn, ...formatNames(lines)].join('\n')
}

const colourOf = (index: number): string => COLOURS[index % COLOURS.length] ?? ''

/** A gap in the samples is one in the line. */
function formatPath(
  points: Line['points'],
  longest: number,
  format: (point: readonly [number, number]) => string,
): string {
  return points
    .map((point, index) => {
      const before = points[index - 1]
      const isOn = before !== undefined && point[0] - before[0] <= longest
      return `${isOn ? 'L' : 'M'}${format(point)}`
    })
    .join('')
}

function formatNames(lines: readonly Line[]): readonly string[] {
  const y = PANEL.height - PANEL.bottom + 28
  if (lines.length === 0) return [`<text x="${PANEL.left}" y="${y}">nothing to tell in this run</text>`]
  const names = lines.slice(0, NAMES).map(({ name, isDashed }, index) => {
    const [x, at] = [PANEL.left + (index < ROWS ? 0 : 150), y + (index % ROWS) * 11]
    return `<path class="c${isDashed ? ' d' : ''}" stroke="${colourOf(index)}" d="M${x} ${at - 3}h18"/><text x="${x + 23}" y="${at}">${escapeText(name)}</text>`
  })
  const more = lines.length - NAMES
  const rest = `<text x="${PANEL.left}" y="${y + ROWS * 11}">and ${more} more</text>`
  return more > 0 ? [...names, rest] : names
}

/** The next number above whose quarters are short, in days where they are many seconds. */
function findTop(values: readonly number[], unit: string): number {
  const most = Math.max(0, ...values)
  if (most === 0) return 1
  const one = unit === 's' && most >= LONG ? DAY : 1
  const power = one * 10 ** Math.floor(Math.log10(most / one))
  return power * ([1, 1.2, 1.6, 2, 3, 4, 6, 8].find((times) => times * power >= most) ?? 10)
}

const DAY = 86_400
/** Seconds that are told as days. */
const LONG = 2 * DAY

/** Whole minutes or more of them, five at most. */
function findTimes(whole: number): readonly number[] {
  const step = Math.max(60, Math.ceil(whole / 5 / 60) * 60)
  return Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step)
}

const ENDINGS: Readonly<Record<string, string>> = { iops: ' io/s', cpm: ' /min', reqps: ' /s' }

function formatValue(value: number, unit: string): string {
  if (unit === 'percentunit') return `${shorten(value * 100)} %`
  if (unit === 's') return formatSeconds(value)
  return `${shorten(value)}${ENDINGS[unit] ?? ''}`
}

function formatSeconds(value: number): string {
  if (value === 0) return '0'
  if (value < 1) return `${shorten(value * 1000)} ms`
  if (value < 60) return `${shorten(value)} s`
  if (value < 7200) return `${shorten(value / 60)} min`
  return value < LONG / 4 ? `${shorten(value / 3600)} h` : `${shorten(value / DAY)} d`
}

function shorten(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`
  return value >= 1e4 ? `${Number((value / 1e3).toPrecision(3))} k` : String(Number(value.toPrecision(3)))
}

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
