import { randomBytes } from 'node:crypto'
import { createKeys } from '../../../certs/keys.ts'
import { runCli } from '../../../webhook/cli/program.ts'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  /** Whether standard output and standard error are terminals. */
  readonly isTerminal?: boolean
  readonly now?: Date
}

/** `iops-limit ARGV...` in this very process. */
export async function runCommand(
  argv: readonly string[],
  { env = {}, stdin = '', isTerminal = false, now = new Date() }: Surroundings = {},
): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  const code = await runCli(argv, env, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    readStdin: () => Promise.resolve(Buffer.from(stdin)),
    isTerminal: { stdout: isTerminal, stderr: isTerminal },
    now: () => now,
    random: randomBytes,
    createKeys,
  })
  return { code, stdout, stderr }
}
