import type { KeyPair } from '../../certs/issue.ts'

/** What the command line may do to the world, files aside. */
export interface CliEffects {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly now: () => Date
  /** So many bytes that nobody can foresee. */
  readonly random: (bytes: number) => Uint8Array
  /** RSA keys of so many bits. */
  readonly createKeys: (bits: number) => Promise<KeyPair>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** One subcommand: its line in the help, and a program of its own. Exit codes: 0 done, 1 it failed, 2 it was called wrongly. */
export interface Command {
  readonly summary: string
  readonly run: (argv: readonly string[], env: Environment, effects: CliEffects) => Promise<number>
}

/** Everything that is wrong with a call, a line each. */
export const formatCallProblems = (command: string, problems: readonly string[]): string =>
  `${problems.map((problem) => `${command}: ${problem}`).join('\n')}\nSee ${command} --help\n`
