import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../../../enforcer/log.ts'
import { runEnforcer as runProgram } from '../../../enforcer/program.ts'

export interface LogLine {
  readonly msg: string
  readonly [key: string]: unknown
}

export interface Run {
  readonly status: number
  readonly out: string
  readonly error: string
  /** Messages of the log, in order. */
  readonly log: readonly LogLine[]
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds; the real time where it is left out. */
  readonly clock?: () => number
  /** The wall's clock. */
  readonly now?: () => Date
}

export interface RunningEnforcer extends AsyncDisposable {
  /** What has been said so far. */
  readonly log: readonly LogLine[]
  /** Origin of the pages; the port is the one that the log names. */
  readonly origin: () => Promise<string>
  readonly stop: () => Promise<Run>
}

/** The program in this process, with what it says; without `--once` or `--plan` it would stay. */
export async function runEnforcer(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  return await begin(argv, options, new AbortController()).ended
}

/** The program in this process, as it stays; on a free port. */
export function startEnforcer(argv: readonly string[], options: RunOptions = {}): RunningEnforcer {
  const stopping = new AbortController()
  const { log, ended } = begin(['--metrics-port', '0', '--host', '127.0.0.1', ...argv], options, stopping)
  const stop = async (): Promise<Run> => {
    stopping.abort()
    return await ended
  }
  return {
    log,
    origin: async () => {
      for (;;) {
        const listening = log.find(({ msg }) => msg === 'listening')
        if (listening !== undefined) return String(listening['url']).replace(/\/$/, '')
        await sleep(5)
      }
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
    },
  }
}

function begin(
  argv: readonly string[],
  { env = {}, clock, now = () => new Date() }: RunOptions,
  stopping: AbortController,
) {
  const [out, error, log]: [string[], string[], LogLine[]] = [[], [], []]
  const status = runProgram(
    { argv, env },
    {
      writeOut: (text) => out.push(text),
      writeError: (text) => error.push(text),
      createLog: (level) => createLog(level, { write: (line) => log.push(JSON.parse(line) as LogLine), now }),
      clock: clock ?? (() => performance.now()),
      now,
      random: Math.random,
      collectGarbage: () => undefined,
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
      usage: { memory: () => process.memoryUsage.rss(), processor: () => process.cpuUsage().user / 1e6 },
      stopped: stopping.signal,
    },
  )
  const ended = status.then((code): Run => ({ status: code, out: out.join(''), error: error.join(''), log }))
  return { log, ended }
}

/** A page of the enforcer: `/healthz`. */
export async function readPage(
  { origin }: RunningEnforcer,
  page: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${await origin()}${page}`)
  return { status: response.status, text: await response.text() }
}

/** The number that the pattern's group finds in its metrics; NaN where it finds none. */
export const readMetric = async (enforcer: RunningEnforcer, line: RegExp): Promise<number> =>
  Number(line.exec((await readPage(enforcer, '/metrics')).text)?.[1])

/** Writes a pods file into a folder and gives its path. */
export function writePods(folder: string, list: unknown): string {
  const file = path.join(folder, 'pods.json')
  writeFileSync(file, JSON.stringify(list))
  return file
}
