/** Processes of a test: those that run until they are stopped, and those that run to their end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Daemon {
  /** Waits until the question is answered with true; throws with the last of its output once it has ended or the time is over. */
  until(isReady: () => Promise<boolean>, milliseconds?: number): Promise<void>
  /** SIGTERM, and SIGKILL ten seconds later. */
  stop(): Promise<void>
}

const LONGEST_START = 60_000
const LONGEST_STOP = 10_000
const KEPT = 8000

export function startDaemon(program: string, args: readonly string[]): Daemon {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  let tail = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-KEPT)
  })
  return {
    async until(isReady, milliseconds = LONGEST_START) {
      const end = Date.now() + milliseconds
      while (!(await isReady().catch(() => false))) {
        if (hasEnded(child) || Date.now() > end) {
          child.kill('SIGKILL')
          throw new Error(`${program} does not come up:\n${tail}`)
        }
        await sleep(50)
      }
    },
    async stop() {
      process.off('exit', killWithUs)
      if (hasEnded(child)) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_STOP)
      await ended
      clearTimeout(timer)
    },
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

export interface Text {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export async function runToEnd(program: string, args: readonly string[], stdin = ''): Promise<Text> {
  const child = spawn(program, args, { stdio: 'pipe' })
  child.stdin.end(stdin)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

/**
 * Free a moment ago, on 127.0.0.1, and none that the kernel gives to a connection that asks for no port (ip_local_port_range begins
 * at 32768): whoever listens on it, ends and comes back would find it taken.
 */
export async function findFreePort(): Promise<number> {
  const port = randomInt(16_384, 32_768)
  return (await isFree(port)) ? port : findFreePort()
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
