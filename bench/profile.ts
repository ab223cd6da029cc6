/**
 * Where a request's time goes under load, ours and the floor's beside it, by V8's sampling profiler: the own time of each part, and
 * of our costliest functions.
 *   npm run bench:profile -- [SECONDS]      10 if nothing is said
 */
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFlags } from './image.ts'
import { FLOOR, flagsOf, OURS, startInPod } from './webhook/contestants.ts'
import { createInputs, type Inputs } from './webhook/inputs.ts'
import { type Contestant, measure, start } from './webhook/servers.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Until the code is compiled as it stays. */
const WARM_UP = 20
const SHOWN = 25
/** Microseconds. */
const INTERVAL = '250'

const profilerOf = (folder: string): readonly string[] => [
  '--cpu-prof',
  '--cpu-prof-dir',
  folder,
  '--cpu-prof-interval',
  INTERVAL,
]

/** From its sources, so that the profile has their names. */
const PROFILED_OURS: Contestant = {
  ...OURS,
  prepare: (inputs, port) =>
    startInPod(inputs, [
      ...[process.execPath, ...readFlags('Dockerfile.webhook'), ...profilerOf(join(inputs.folder, 'ours'))],
      ...[join(ROOT, 'webhook/main.ts'), ...flagsOf(inputs, port), '--shutdown-delay', '0s'],
    ]),
}

/** A profile is written by a process that ends by itself. */
const END = 'data:text/javascript,process.on("SIGTERM",()=>process.exit())'

const PROFILED_FLOOR: Contestant = {
  ...FLOOR,
  prepare: async (inputs, port) => {
    const { argv } = await FLOOR.prepare(inputs, port)
    const [node = process.execPath, ...rest] = argv
    return { argv: [node, ...profilerOf(join(inputs.folder, 'floor')), '--import', END, ...rest] }
  },
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  /** Microseconds. */
  readonly timeDeltas: readonly number[]
}

/** Microseconds of a request, by `FUNCTION PLACE`. */
type Costs = ReadonlyMap<string, number>

async function profile(contestant: Contestant, inputs: Inputs, folder: string): Promise<Costs> {
  using server = await start(contestant, inputs)
  const put = (duration: number): ReturnType<typeof measure> =>
    measure(server, inputs, { connections: 16, milliseconds: duration * 1000 })
  await put(WARM_UP)
  const { cpu } = await put(seconds)
  await server.end()
  const [file = ''] = globSync(join(inputs.folder, folder, '*.cpuprofile'))
  const times = sumUp(JSON.parse(readFileSync(file, 'utf8')) as Profile)
  const total = sumOf(times.values())
  return new Map([...times].map(([name, time]) => [name, (cpu * time) / total]))
}

/** Own time of each function, from the end of the profile: what came before is start and warm-up. */
function sumUp({ nodes, samples, timeDeltas }: Profile): Costs {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, number>()
  let total = 0
  for (let index = samples.length - 1; index >= 0 && total < seconds * 1e6; index -= 1) {
    const frame = frames.get(samples[index] ?? -1)
    if (frame === undefined || frame.functionName === '(idle)') continue
    const delta = timeDeltas[index] ?? 0
    total += delta
    const name = `${frame.functionName || '(anonymous)'} ${nameOf(frame.url) || 'native'}`
    times.set(name, (times.get(name) ?? 0) + delta)
  }
  return times
}

/** A file of ours, a package, a module of Node, or nothing. */
function nameOf(url: string): string {
  if (!url.startsWith('file:')) return url
  const path = relative(ROOT, fileURLToPath(url))
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path
}

/** The first that a function's name and place match is what it is part of. */
const PARTS: readonly (readonly [part: string, members: RegExp])[] = [
  ['`JSON.parse` and the text it reads', /^parseJson webhook| bench\/webhook\/floor\.mjs$/],
  [
    'the answer through TLS into the socket',
    /^write(?:Latin1|Utf8|Ascii)String native|^write(?:v|Buffer) native/,
  ],
  ['garbage collection', /^\(garbage collector\)/],
  ['V8 and libuv themselves', /^\(program\)/],
  [
    'the log: line, time, its way into the file',
    /^writeString native| (?:pino|sonic-boom|node:fs|webhook\/server\/(?:logStream|observer)\.ts)/,
  ],
  ['metrics', / prom-client$/],
  ['reading the review', / (?:webhook\/admission\/(?:review|pod|ownership)\.ts|contract\/reader\.ts)$/],
  ['the decision', / (?:webhook\/policy|contract)\//],
  [
    'the patch and the answer around it',
    / (?:fast-json-patch|webhook\/admission\/.*|webhook\/server\/reply\.ts)$/,
  ],
  [
    'deadline, gate, timers, promises',
    /^runMicrotasks| (?:node:internal\/(?:timers|process|abort_controller|event_target|async_hooks|promise)|webhook\/)/,
  ],
  ['HTTP of Node, its streams and events', / node:/],
  ['all else', /^/],
]

const partOf = (name: string): string => PARTS.find(([, members]) => members.test(name))?.[0] ?? ''

const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((sum, number) => sum + number, 0)

function formatParts(ours: Costs, floor: Costs): string {
  const sumPart = (costs: Costs, part: string): number =>
    sumOf([...costs].filter(([name]) => partOf(name) === part).map(([, cost]) => cost))
  const rows = PARTS.map(([part]) => [part, sumPart(ours, part), sumPart(floor, part)] as const)
  rows.push(['all together', sumOf(ours.values()), sumOf(floor.values())])
  const lines = rows.map(([part, own, theirs]) => `| ${part} | ${own.toFixed(1)} | ${theirs.toFixed(1)} |`)
  return ['| part | ours, µs | floor, µs |', '| --- | --: | --: |', ...lines].join('\n')
}

function formatFunctions(costs: Costs): string {
  const rows = [...costs].sort(([, a], [, b]) => b - a).slice(0, SHOWN)
  const lines = rows.map(([name, cost]) => `| ${name} | ${cost.toFixed(1)} |`)
  return ['| function of ours | µs |', '| --- | --: |', ...lines].join('\n')
}

const seconds = Number(process.argv[2] ?? 10)
using inputs = await createInputs()
const floor = await profile(PROFILED_FLOOR, inputs, 'floor')
const ours = await profile(PROFILED_OURS, inputs, 'ours')
process.stdout.write(`${formatParts(ours, floor)}\n\n${formatFunctions(ours)}\n`)
