/** The panels that the picture shows, with what a Prometheus answers to their queries. */
import type { PrometheusClient, Range } from '../../test/support/prometheus/client.ts'
import {
  EVERYTHING,
  fillIn,
  type Panel,
  type Query,
  readDashboard,
} from '../../test/support/prometheus/dashboard.ts'
import type { Chart, Line } from './picture.ts'

const TITLES = [
  'Operations: share of the limit in use',
  'Operations and their limit',
  'Top talkers: operations',
  'Throttled pods by IO pressure',
  'Refusals by policy',
  'Reviews by outcome',
  'Latency of a review',
  'Life left of the certificates',
  'Errors',
]

/** Rates are averages over so many seconds. */
export async function readCharts(
  prometheus: Pick<PrometheusClient, 'queryRange'>,
  range: Range,
  seconds: number,
): Promise<readonly Chart[]> {
  const { panels } = readDashboard()
  return await Promise.all(
    TITLES.map(async (title) => {
      const panel = panels.find((one) => one.title === title)
      if (panel === undefined) throw new TypeError(`the dashboard has no panel "${title}"`)
      const read = async (query: Query): Promise<readonly Line[]> => {
        const expr = fillIn(query.expr, { ...EVERYTHING, __rate_interval: `${seconds}s` })
        const answer = await prometheus.queryRange(expr, range)
        return answer.map(({ labels, points }) => ({
          name: fillInLabels(query.legendFormat, labels),
          isDashed: isDashed(panel, query),
          points: points.filter(([, y]) => Number.isFinite(y)).map(([time, y]) => [time - range.start, y]),
        }))
      }
      const lines = (await Promise.all((panel.targets ?? []).map(read))).flat()
      return { title, unit: panel.fieldConfig?.defaults.unit ?? '', lines: lines.filter(isToShow) }
    }),
  )
}

const fillInLabels = (legend: string, labels: Readonly<Record<string, string>>): string =>
  legend.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => labels[name] ?? '')

const isDashed = ({ fieldConfig }: Panel, { refId }: Query): boolean =>
  fieldConfig?.overrides.some(
    ({ matcher, properties }) =>
      matcher.options === refId && properties.some(({ id }) => id === 'custom.lineStyle'),
  ) ?? false

/** A line that never leaves 0 would only take up the room for names. */
const isToShow = ({ points }: Line): boolean => points.some(([, y]) => y !== 0)
