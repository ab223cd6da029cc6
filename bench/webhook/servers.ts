/** Servers that are measured: how each is had, started and watched from outside. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../contract/problem.ts'
import { findFreePort } from '../../test/support/cluster/daemon.ts'
import type { Inputs } from './inputs.ts'
import type { Load, Measured } from './load.ts'

/** One that takes part. */
export interface Contestant {
  readonly name: string
  readonly path: string
  /** What it runs; rejects, with the reason, where it cannot be had on this machine. */
  readonly prepare: (inputs: Inputs, port: number) => Promise<Command>
}

export interface Command {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Running extends Disposable {
  readonly name: string
  readonly path: string
  readonly port: number
  /** Seconds of processor time so far. */
  readonly cpu: () => number
  /** MiB. */
  readonly rss: () => number
  /** Asks it to, and waits until it has. */
  readonly end: () => Promise<void>
}

/** Of the servers and of the load. */
export const CORES = { server: '0', load: '1' }

/** Serving, on its own core; its log goes into a file. */
export async function start({ name, path, prepare }: Contestant, inputs: Inputs): Promise<Running> {
  const port = await findFreePort()
  const { argv, env = {} } = await prepare(inputs, port)
  const logFile = join(inputs.folder, `${name.replaceAll(/\W+/g, '-')}.log`)
  const log = openSync(logFile, 'a')
  const child = spawn('taskset', ['-c', CORES.server, ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  })
  const stop = (): void => void child.kill('SIGKILL')
  try {
    await untilServing(child, port, inputs.ca)
  } catch (error) {
    stop()
    throw new Error(`${messageOf(error)}: ${readFileSync(logFile, 'utf8').slice(-500).trim()}`, {
      cause: error,
    })
  }
  const { pid } = child
  return {
    ...{ name, path, port },
    cpu: () => readCpu(pid ?? 0),
    rss: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    end: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
    [Symbol.dispose]: stop,
  }
}

const LOAD = fileURLToPath(new URL('load.ts', import.meta.url))

/** What a server makes of it, the load on its own core; `cpu`: microseconds of the server's processor time for each answer. */
export async function measure(
  server: Running,
  { ca, body }: Inputs,
  { connections, milliseconds }: Pick<Load, 'connections' | 'milliseconds'>,
): Promise<Measured & { readonly cpu: number }> {
  const load: Load = { port: server.port, path: server.path, ca, body, connections, milliseconds }
  const before = server.cpu()
  const command = ['-c', CORES.load, process.execPath, LOAD, JSON.stringify(load)]
  const { stdout } = await promisify(execFile)('taskset', command)
  const measured = JSON.parse(stdout) as Measured
  return { ...measured, cpu: ((server.cpu() - before) / measured.answers) * 1e6 }
}

/** proc(5), /proc/pid/stat: utime and stime are the 14th and 15th field, in hundredths of a second. */
function readCpu(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = rest.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function untilServing(child: ChildProcess, port: number, ca: string): Promise<void> {
  let ended: string | undefined
  child.on('exit', (code, signal) => (ended = `it ended at once (${code ?? signal})`))
  child.on('error', (error) => (ended = error.message))
  const until = Date.now() + 30_000
  while (!(await isServing(port, ca))) {
    if (ended !== undefined) throw new Error(ended)
    if (Date.now() > until) throw new Error('it did not serve within 30 s')
    await sleep(50)
  }
}

const isServing = (port: number, ca: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(ca) })
    const end = (serves: boolean): void => {
      socket.destroy()
      resolve(serves)
    }
    socket.on('secureConnect', () => end(true)).on('error', () => end(false))
  })
