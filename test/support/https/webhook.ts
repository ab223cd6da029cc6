/** The real webhook as a process of its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** A line of the webhook's log. */
export type LogLine = Readonly<Record<string, unknown>>

export interface WebhookProcess extends AsyncDisposable {
  /** `https://127.0.0.1:PORT` */
  readonly origin: string
  /** `http://127.0.0.1:PORT`, of the metrics. */
  readonly opsOrigin: string
  /** So far; whoever has it run for long may empty it. */
  readonly log: LogLine[]
  /** What it said beside its log so far: Node's own warnings, mostly. */
  readonly complaints: () => string
  /** Rejects where no such line comes in time. */
  untilLogged(predicate: (line: LogLine) => boolean): Promise<LogLine>
  /** Sends SIGTERM. */
  terminate(): void
  /** Its exit code; null where a signal ended it. */
  readonly exit: Promise<number | null>
}

const MAIN = fileURLToPath(new URL('../../../webhook/main.ts', import.meta.url))

/** Rejects, with what the program said, where it ends before it listens. `program`: the file, behind what Node itself is told. */
export async function startWebhook(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program: readonly string[] = [MAIN],
): Promise<WebhookProcess> {
  const child = spawn(process.execPath, [...program, ...argv], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const { log, untilLogged, complaints } = followLog(child)
  const listening = await untilLogged(({ msg }) => msg === 'listening')
  return {
    origin: new URL(String(listening['mutate'])).origin,
    opsOrigin: new URL(String(listening['metrics'])).origin,
    log,
    untilLogged,
    complaints,
    exit,
    terminate: () => void child.kill('SIGTERM'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

const PATIENCE = 20_000

interface Wait {
  readonly look: () => void
  readonly fail: (why: string) => void
}

function followLog(
  child: ChildProcessByStdio<null, Readable, Readable>,
): Pick<WebhookProcess, 'log' | 'untilLogged' | 'complaints'> {
  const log: LogLine[] = []
  const waits = new Set<Wait>()
  const chunks: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const complaints = (): string => Buffer.concat(chunks).toString()
  createInterface(child.stdout).on('line', (line) => {
    log.push(JSON.parse(line) as LogLine)
    for (const { look } of waits) look()
  })
  child.once('close', (code) => {
    for (const { fail } of waits) fail(`the webhook ended with ${code}`)
  })
  const untilLogged = (predicate: (line: LogLine) => boolean): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        waits.delete(wait)
        clearTimeout(timer)
      }
      const wait: Wait = {
        look() {
          const found = log.find(predicate)
          if (found === undefined) return
          end()
          resolve(found)
        },
        fail(why) {
          end()
          const said = [...log.map((line) => JSON.stringify(line)), complaints()]
          reject(new Error(`${why}; it said:\n${said.join('\n')}`))
        },
      }
      const timer = setTimeout(() => wait.fail(`not logged within ${PATIENCE} ms`), PATIENCE)
      waits.add(wait)
      wait.look()
    })
  return { log, untilLogged, complaints }
}
