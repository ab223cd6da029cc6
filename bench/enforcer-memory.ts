/**
 * What the built enforcer costs on a full node: 110 pods of three containers, each with its own limit, on a tree of plain files
 * and with a kubelet of this process over HTTPS. Memory and processor time while nothing happens, each for SECONDS: somebody looks
 * at the usage once a minute, nobody does any more, nor scrapes the metrics; then while pods come and go, then after it.
 *   node bench/enforcer-memory.ts [SECONDS] [GENERATIONS]      300 and 10,000 if nothing is said
 * Node's flags and the C library's settings are those of Dockerfile.enforcer, or FLAGS; MALLOC_*, UV_*, CHECK_INTERVAL,
 * USAGE_INTERVAL and SMART_LIMIT_USE_KUBELET_API are handed on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { standInEnv, startStandIn } from '../test/support/kernel/standIns.ts'
import { type BusyNode, createBusyNode } from './enforcer/node.ts'
import { readEnv, readFlags } from './image.ts'
import { medianOf } from './webhook/table.ts'

const BUNDLE = fileURLToPath(new URL('../dist/iops-limit-enforcer.js', import.meta.url))
const IMAGE = 'Dockerfile.enforcer'
const FLAGS = process.env['FLAGS']?.split(' ') ?? readFlags(IMAGE)
const PODS = 110
const [PORT, ORIGIN] = [18_081, 'http://127.0.0.1:18081']
/** Seconds: so long after the last look the enforcer does not expect another one. */
const ATTENTION = 300

const [seconds = 300, generations = 10_000] = process.argv.slice(2).map(Number)
using node = createNode()
await using kubelet = await startStandIn(node.answer)
const child = spawn(process.execPath, [...FLAGS, BUNDLE, '--log-level', 'warn'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...node.env,
    ...standInEnv(kubelet),
    METRICS_PORT: String(PORT),
    HOST: '127.0.0.1',
    ...readEnv(IMAGE),
    ...chosen(),
  },
})
try {
  await untilNewestIsLimited()
  console.log(`bundle ${statSync(BUNDLE).size} bytes; Node ${process.version}; ${PODS} pods of 3 containers`)
  const bare = await measureBareNode()
  console.log(`a Node that does nothing, with the same flags: ${bare.toFixed(1)} MiB`)
  console.log(`${' '.repeat(42)}RSS MiB RSS most    CPU %`)
  await report('after the start', () => pass(5))
  await report('idle, somebody looks, scraped each 15 s', () => pass(seconds, '/metrics', '/api/v1/limits'))
  await pass(ATTENTION, '/metrics')
  await report('idle, nobody looks, scraped each 15 s', () => pass(seconds, '/metrics'))
  await report('idle, nobody looks or scrapes', () => pass(seconds))
  for (let done = 0; done < generations; done += generations / 10)
    await report(`${done + generations / 10} pods came and went`, () => churn(generations / 10))
  await report('idle again, scraped each 15 s', () => pass(seconds, '/metrics'))
} finally {
  child.kill('SIGKILL')
}

function createNode(): BusyNode & Disposable {
  const made = createBusyNode(PODS)
  return { ...made, [Symbol.dispose]: made.dispose }
}

/** The C library's and libuv's, and of the enforcer's own what changes its cost. */
function chosen(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = '']) =>
      /^(?:MALLOC_|UV_|CHECK_INTERVAL$|USAGE_INTERVAL$|SMART_LIMIT_USE_KUBELET_API$)/.test(name)
        ? [[name, value]]
        : [],
    ),
  )
}

/** Ten at a time, limited before the next come. */
async function churn(count: number): Promise<void> {
  for (let done = 0; done < count; done += 10) {
    for (let index = 0; index < 10; index++) node.replaceOldest()
    await untilNewestIsLimited()
  }
}

async function untilNewestIsLimited(): Promise<void> {
  const before = performance.now()
  while (!node.holds('newest', 500)) {
    if (performance.now() - before > 30_000) throw new Error('the newest pod has no limit after 30 s')
    await sleep(2)
  }
}

/** So many seconds; the first page every 15 s, as a Prometheus does, the second once a minute. */
async function pass(length: number, scraped?: string, looked?: string): Promise<void> {
  for (let second = 1; second <= length; second++) {
    await sleep(1_000)
    if (scraped !== undefined && second % 15 === 0) await read(scraped)
    if (looked !== undefined && second % 60 === 30) await read(looked)
  }
}

async function read(page: string): Promise<void> {
  await (await fetch(ORIGIN + page)).text()
}

async function report(what: string, during: () => Promise<void>): Promise<void> {
  const [began, spent] = [performance.now(), readProcessor(child)]
  const memory: number[] = []
  const looking = setInterval(() => memory.push(readMemory(child, 'VmRSS')), 1_000)
  await during()
  clearInterval(looking)
  const share = (readProcessor(child) - spent) / ((performance.now() - began) / 1000)
  const cells = [medianOf(memory), readMemory(child, 'VmHWM'), share * 100]
  console.log(what.padEnd(40) + cells.map((cell) => cell.toFixed(2).padStart(9)).join(''))
}

/** MiB. */
function readMemory({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

/** Seconds of the processor, of all threads. Source: kernel doc, scheduler/sched-stats.rst (`/proc/<pid>/schedstat`). */
function readProcessor({ pid }: ChildProcess): number {
  const spent = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]),
  )
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9
}

async function measureBareNode(): Promise<number> {
  const bare = spawn(process.execPath, [...FLAGS, '-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
  await sleep(1_000)
  const memory = readMemory(bare, 'VmRSS')
  bare.kill('SIGKILL')
  return memory
}
