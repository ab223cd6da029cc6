/** The built enforcer, as its image starts it, and what it has cost so far. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addUp } from '../cluster/histogram.ts'
import { readEnv, readFlags } from '../image.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/iops-limit-enforcer.js', import.meta.url))
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

export interface Cost {
  /** Seconds of the processor: user and system. */
  readonly cpu: number
  /** Full passes, and the seconds that they took. */
  readonly passes: number
  readonly passing: number
  readonly writes: number
}

export interface EnforcerProcess extends Disposable {
  /** Rejects where it has ended, or does not answer. */
  readCost(): Promise<Cost>
  /** MiB: resident now, and at most so far. */
  readMemory(): { readonly now: number; readonly most: number }
  /** Milliseconds since it was started, at the moment when this became true. */
  until(what: string, isSo: () => boolean): Promise<number>
}

export function spawnEnforcer(env: Readonly<Record<string, string>>, port: number): EnforcerProcess {
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [...readFlags('Dockerfile.enforcer'), BUNDLE, '--log-level', 'error'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...env,
        ...readEnv('Dockerfile.enforcer'),
        ...{ PATH: process.env['PATH'], METRICS_PORT: String(port), HOST: '127.0.0.1' },
      },
    },
  )
  return {
    readCost: async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      const read = (name: string): number => addUp(text, `iops_limit_enforcer_${name}`)
      return {
        cpu: readProcessor(child),
        passes: read('pass_seconds_count'),
        passing: read('pass_seconds_sum'),
        writes: read('writes_total'),
      }
    },
    readMemory: () => ({ now: readMemory(child, 'VmRSS'), most: readMemory(child, 'VmHWM') }),
    until: async (what, isSo) => {
      const patient = performance.now() + PATIENCE
      while (!isSo()) {
        if (child.exitCode !== null)
          throw new Error(`the enforcer ended with ${child.exitCode} before ${what}`)
        if (performance.now() > patient) throw new Error(`not within ${PATIENCE} ms: ${what}`)
        await sleep(1)
      }
      return performance.now() - began
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}

const PATIENCE = 60_000

/** MiB. Source: proc_pid_status(5). */
function readMemory({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
}

/** Source: proc_pid_stat(5). */
function readProcessor({ pid }: ChildProcess): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = rest.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
