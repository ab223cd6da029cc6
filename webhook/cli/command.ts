import type { KeyPair } from '../../certs/issue.ts'
import type { OptionTable } from '../../settings/settings.ts'

/** What the command line may do to the world, files aside. */
export interface CliEffects {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** All of standard input. */
  readonly readStdin: () => Promise<Uint8Array>
  /** Whether a person is looking. */
  readonly isTerminal: { readonly stdout: boolean; readonly stderr: boolean }
  readonly now: () => Date
  /** So many bytes that nobody can foresee. */
  readonly random: (bytes: number) => Uint8Array
  /** RSA keys of so many bits. */
  readonly createKeys: (bits: number) => Promise<KeyPair>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** One subcommand: a program of its own. Exit codes: 0 done, 1 it failed, 2 it was called wrongly. */
export interface Command {
  readonly options: OptionTable
  readonly run: (argv: readonly string[], env: Environment, effects: CliEffects) => Promise<number>
}

/** A subcommand as the table of all of them has it. */
export interface Listed {
  readonly summary: string
  /** Loaded when it is called: what one command needs is no other's start-up. */
  readonly load: () => Promise<Command>
}

/** Everything that is wrong with a call, a line each. */
export const formatCallProblems = (command: string, problems: readonly string[]): string =>
  `${problems.map((problem) => `${command}: ${problem}`).join('\n')}\nSee ${command} --help\n`
