/**
 * Where the webhook's time goes under load, by V8's sampling profiler: the own time of each part, and of the costliest functions.
 *   npm run bench:profile -- [SECONDS]      10 if nothing is said
 */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { flagsOf, OURS, readFlags, startInPod } from './webhook/contestants.ts'
import { createInputs } from './webhook/inputs.ts'
import { CORES, type Contestant, start } from './webhook/servers.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LOAD = fileURLToPath(new URL('webhook/load.ts', import.meta.url))
/** Until the code is compiled as it stays. */
const WARM_UP = 20
const SHOWN = 25

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  /** Microseconds. */
  readonly timeDeltas: readonly number[]
}

/** From its sources, so that the profile has their names. */
const PROFILED: Contestant = {
  ...OURS,
  prepare: (inputs, port) =>
    startInPod(inputs, [
      process.execPath,
      ...readFlags('Dockerfile.webhook'),
      ...['--cpu-prof', '--cpu-prof-dir', inputs.folder, join(ROOT, 'webhook/main.ts')],
      ...[...flagsOf(inputs, port), '--shutdown-delay', '0s'],
    ]),
}

async function profile(seconds: number): Promise<void> {
  using inputs = await createInputs()
  using server = await start(PROFILED, inputs)
  const load = { ...server, ca: inputs.ca, body: inputs.body, connections: 16 }
  for (const each of [WARM_UP, seconds]) {
    const argument = JSON.stringify({ ...load, milliseconds: each * 1000 })
    await promisify(execFile)('taskset', ['-c', CORES.load, process.execPath, LOAD, argument])
  }
  await server.end()
  const [file = ''] = globSync(join(inputs.folder, '*.cpuprofile'))
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const [parts, functions] = [new Map<string, number>(), new Map<string, number>()]
  let total = 0
  // From the end: what came before is start and warm-up.
  for (let index = samples.length - 1; index >= 0 && total < seconds * 1e6; index -= 1) {
    const delta = timeDeltas[index] ?? 0
    const frame = frames.get(samples[index] ?? -1)
    if (frame === undefined || frame.functionName === '(idle)') continue
    total += delta
    const part = nameOf(frame.url) || frame.functionName
    parts.set(part, (parts.get(part) ?? 0) + delta)
    const name = `${frame.functionName || '(anonymous)'} (${nameOf(frame.url) || 'native'})`
    functions.set(name, (functions.get(name) ?? 0) + delta)
  }
  for (const [title, costs] of [
    ['part', parts],
    ['function', functions],
  ] as const)
    process.stdout.write(`${formatCosts(title, costs, total)}\n\n`)
}

/** A room of ours, a package, a module of Node, or nothing. */
function nameOf(url: string): string {
  if (!url.startsWith('file:')) return url
  const path = relative(ROOT, fileURLToPath(url))
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path
}

function formatCosts(title: string, costs: ReadonlyMap<string, number>, total: number): string {
  const rows = [...costs].sort(([, a], [, b]) => b - a).slice(0, SHOWN)
  const lines = rows.map(([name, cost]) => `| ${name} | ${((100 * cost) / total).toFixed(1)} |`)
  return [`| ${title} | % of own time |`, '| --- | --: |', ...lines].join('\n')
}

await profile(Number(process.argv[2] ?? 10))
