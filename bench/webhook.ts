/**
 * The webhook against the floor and against what others run: requests per second, latency, processor time and memory, as ratios in
 * one run. Servers stand on one core and the load on the other, and take turns round by round, so that what else the machine does
 * meets all of them.
 *   npm run bench -- [ROUNDS] [SECONDS]      5 rounds of 3 seconds if nothing is said
 */
import { cpus } from 'node:os'
import { FLOOR, OURS, RIVALS } from './webhook/contestants.ts'
import { createInputs, type Inputs, NAMESPACES, POLICIES, RULES } from './webhook/inputs.ts'
import type { Measured } from './webhook/load.ts'
import { CORES, type Contestant, measure, type Running, start } from './webhook/servers.ts'
import { formatTable, medianOf, type Row } from './webhook/table.ts'

const CONNECTIONS = [1, 16]
/** Of each server, until its code is compiled as it stays: V8 takes tens of thousands of calls. Milliseconds. */
const WARM_UP = { answers: 40_000, longest: 30_000 }

async function bench(count: number, milliseconds: number): Promise<number> {
  using inputs = await createInputs()
  using stack = new DisposableStack()
  const missing: string[] = []
  const running: Running[] = []
  for (const contestant of [OURS, FLOOR, ...RIVALS]) {
    const server = await tryToStart(contestant, inputs)
    if (typeof server === 'string') missing.push(server)
    else running.push(stack.use(server))
  }
  for (const server of running) await warmUp(server, inputs)
  const taken = await playRounds(running, inputs, { count, milliseconds })
  say(describeMachine(count, milliseconds))
  for (const connections of CONNECTIONS) {
    const rows = running.map((server) =>
      summarise(
        server,
        connections,
        taken.filter((one) => one.server === server),
      ),
    )
    say(
      `\n${connections} connection${connections === 1 ? '' : 's'}\n\n${formatTable(rows, OURS.name, FLOOR.name)}`,
    )
  }
  warnOf(missing, taken)
  return missing.length > 0 ? 1 : 0
}

async function tryToStart(contestant: Contestant, inputs: Inputs): Promise<Running | string> {
  process.stderr.write(`starting ${contestant.name}\n`)
  try {
    return await start(contestant, inputs)
  } catch (error) {
    if (contestant === OURS || contestant === FLOOR) throw error
    return `${contestant.name}: ${error instanceof Error ? error.message.trim() : String(error)}`
  }
}

async function warmUp(server: Running, inputs: Inputs): Promise<void> {
  const until = Date.now() + WARM_UP.longest
  for (let answers = 0; answers < WARM_UP.answers && Date.now() < until; )
    answers += (await measure(server, inputs, { connections: 16, milliseconds: 2000 })).answers
}

interface Taken extends Measured {
  readonly server: Running
  readonly connections: number
  /** Microseconds for each answer. */
  readonly cpu: number
}

async function playRounds(
  servers: readonly Running[],
  inputs: Inputs,
  { count, milliseconds }: { readonly count: number; readonly milliseconds: number },
): Promise<readonly Taken[]> {
  const taken: Taken[] = []
  for (let round = 0; round < count; round += 1) {
    process.stderr.write(`round ${round + 1} of ${count}\n`)
    // One after the other, while the other servers rest.
    for (const connections of CONNECTIONS)
      for (const server of servers)
        taken.push({ ...(await measure(server, inputs, { connections, milliseconds })), server, connections })
  }
  return taken
}

function summarise(server: Running, connections: number, taken: readonly Taken[]): Row {
  const own = taken.filter((one) => one.connections === connections)
  const median = (pick: (one: Taken) => number): number => medianOf(own.map(pick))
  return {
    ...{ name: server.name, connections, rss: server.rss() },
    perSecond: median(({ perSecond }) => perSecond),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
    cpu: median(({ cpu }) => cpu),
  }
}

const describeMachine = (count: number, milliseconds: number): string =>
  [
    `${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}; servers on core ${CORES.server}, load on core ${CORES.load};`,
    `medians of ${count} interleaved rounds of ${milliseconds / 1000} s; ours with ${POLICIES} policies of ${RULES} rules and ${NAMESPACES} namespaces, metrics and log on`,
  ].join('\n')

/** What makes the figures doubtful, said loudly. */
function warnOf(missing: readonly string[], taken: readonly Taken[]): void {
  for (const reason of missing) say(`\nNOT MEASURED: ${reason}`)
  for (const { server, connections, failures } of taken) {
    if (Object.keys(failures).length > 0)
      say(`\nFAILURES of ${server.name} at ${connections} connections: ${JSON.stringify(failures)}`)
  }
  const floor = taken.filter(({ server, connections }) => server.name === FLOOR.name && connections === 16)
  const busy = medianOf(floor.map((one) => one.busy))
  if (busy > 0.95)
    say(
      `\nDOUBTFUL: the load took ${(busy * 100).toFixed(0)} % of its core against the floor: the floor may be faster than it looks`,
    )
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const [rounds = 5, seconds = 3] = process.argv.slice(2).map(Number)
if (!(rounds >= 1 && seconds > 0)) {
  process.stderr.write('usage: npm run bench -- [ROUNDS] [SECONDS]\n')
  process.exit(2)
}
process.exitCode = await bench(rounds, seconds * 1000)
