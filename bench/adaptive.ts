/**
 * Adaptive limits: what comes of a day of each kind of load, and what one look at a whole fleet costs.
 *   node bench/adaptive.ts [NODES] [PODS] [TURNS]      5,000 nodes of 20 pods each, 75 turns of a minute
 */
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ADAPTIVE, formatDays } from '../test/support/adaptive/days.ts'
import { admitPod, mostImposed, type SimulatedPod, settingOf, turn } from '../test/support/adaptive/disk.ts'
import { createRandom } from '../test/support/random.ts'
import { medianOf } from './webhook/table.ts'

const [nodes = 5000, podsPerNode = 20, turns = 75] = process.argv.slice(2).map(Number)
const setting = settingOf(ADAPTIVE)

process.stdout.write(
  [
    `rule: adaptive: ${ADAPTIVE}`,
    '',
    formatDays(),
    '',
    `No load gets more than ${mostImposed(setting.rule)} a day.`,
    '',
    '',
  ].join('\n'),
)

/** Bytes that are in use once what is not is gone. */
function readKept(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // The second time takes what the first has let go of outside the heap.
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A fleet of which one pod in ten is busy, each with its own load, a reading a minute of each. */
const random = createRandom(7)
const first = admitPod(setting)
const before = readKept()
let fleet: readonly SimulatedPod[] = Array.from({ length: nodes * podsPerNode }, () => first)
const rates = fleet.map(() => (random.below(10) === 0 ? random.below(3000) : random.below(300)))
const times: number[] = []
const acts = new Map<string, number>()
for (let minute = 1; minute <= turns; minute++) {
  const begun = performance.now()
  fleet = fleet.map((pod, index) => {
    const limit = Number(pod.annotations['iops-limit/write-iops'])
    const { pod: next, act } = turn(setting, pod, Math.min(limit, rates[index] ?? 0), minute * 60)
    if (act !== undefined) acts.set(act.kind, (acts.get(act.kind) ?? 0) + 1)
    return next
  })
  times.push(performance.now() - begun)
}
const kept = readKept() - before
const median = medianOf(times.slice(-10))
process.stdout.write(
  [
    `${nodes} nodes of ${podsPerNode} pods: a look at all takes ${(median / 1000).toFixed(2)} s of a processor (${((1000 * median) / fleet.length).toFixed(1)} µs a pod),`,
    `longest ${(Math.max(...times) / 1000).toFixed(2)} s; what is kept takes ${(kept / 2 ** 20).toFixed(0)} MiB (${(kept / fleet.length).toFixed(0)} bytes a pod); after ${turns} min: ${[...acts].map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
    '',
  ].join('\n'),
)
