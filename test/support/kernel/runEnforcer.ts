import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { runEnforcer as runProgram } from '../../../enforcer/program.ts'

export interface Run {
  readonly status: number
  readonly out: string
  readonly error: string
  /** Messages of the log, in order. */
  readonly log: readonly { readonly msg: string; readonly [key: string]: unknown }[]
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Called between passes; gives true when the program is to end. */
  readonly betweenPasses?: () => boolean
}

/** The program in this process, with what it says. */
export async function runEnforcer(
  argv: readonly string[],
  { env = {}, betweenPasses = () => true }: RunOptions = {},
): Promise<Run> {
  const [out, error, lines]: [string[], string[], string[]] = [[], [], []]
  let ending = false
  const status = await runProgram(
    { argv, env },
    {
      writeOut: (text) => out.push(text),
      writeError: (text) => error.push(text),
      createLog: (level) => pino({ level, base: null }, { write: (line: string) => lines.push(line) }),
      pause: () => {
        ending = betweenPasses()
        return Promise.resolve()
      },
      isEnding: () => ending,
    },
  )
  return {
    status,
    out: out.join(''),
    error: error.join(''),
    log: lines.map((line) => JSON.parse(line) as Run['log'][number]),
  }
}

/** Writes a pods file into a folder and gives its path. */
export function writePods(folder: string, list: unknown): string {
  const file = path.join(folder, 'pods.json')
  writeFileSync(file, JSON.stringify(list))
  return file
}
