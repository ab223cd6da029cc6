/**
 * Draws the main panels of the chart's dashboard, by their own queries, from what a Prometheus has seen.
 *   npm run bench:dashboard -- FILE                            a cluster in a machine of its own (needs what test/vm needs)
 *   npm run bench:dashboard -- FILE --here                     both programs on this machine (needs root, cgroup v1, loop devices)
 *   npm run bench:dashboard -- FILE --prometheus URL --minutes 60 [--scraped-every 30]     one that runs already
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createPrometheusClient, type PrometheusClient } from '../test/support/prometheus/client.ts'
import { readCharts } from './dashboard/charts.ts'
import { runHere } from './dashboard/here.ts'
import { drawDashboard } from './dashboard/picture.ts'
import { runInMachine, SECONDS } from './dashboard/vm.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    here: { type: 'boolean', default: false },
    prometheus: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    'scraped-every': { type: 'string', default: '30' },
  },
})
const [file] = positionals
if (file === undefined) throw new Error('name the file to draw: npm run bench:dashboard -- FILE')

/** From so many seconds since 1970 until now; `every`: seconds between two scrapes. */
async function draw(
  prometheus: PrometheusClient,
  began: number,
  every: number,
  words: string,
): Promise<void> {
  const [start, end] = [Math.floor(began), Math.floor(Date.now() / 1000)]
  const step = Math.max(every, Math.ceil((end - start) / 240))
  // As Grafana chooses it: four scrapes, at least.
  const charts = await readCharts(prometheus, { start, end, step }, Math.max(4 * every, 10))
  const empty = charts.filter(({ lines }) => lines.length === 0).map(({ title }) => title)
  if (empty.length > 0) process.stdout.write(`nothing to tell: ${empty.join(', ')}\n`)
  writeFileSync(file ?? '', drawDashboard(charts, { whole: end - start, step }, words))
}

if (values.prometheus !== undefined) {
  const every = Number(values['scraped-every'])
  const began = Date.now() / 1000 - 60 * Number(values.minutes)
  const words = `The last ${values.minutes} minutes, by their Prometheus.`
  await draw(createPrometheusClient(values.prometheus), began, every, words)
} else if (values.here)
  await runHere((prometheus, began) =>
    draw(
      prometheus,
      began,
      1,
      'Three minutes of both programs on one machine: cgroup v1, a loop device as the disk.',
    ),
  )
else
  await runInMachine((prometheus, began) =>
    draw(
      prometheus,
      began,
      SECONDS,
      'A cluster in an emulated machine: kubelet, containerd, cgroup v2, an NVMe disk.',
    ),
  )
