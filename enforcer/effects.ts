import type { Log, LogLevel } from './log.ts'
import type { EnforcerSettings } from './settings.ts'

/** The world, as the program meets it. */
export interface Effects {
  readonly writeOut: (text: string) => void
  readonly writeError: (text: string) => void
  readonly createLog: (level: LogLevel) => Log
  /** Milliseconds from any start, never set back. */
  readonly clock: () => number
  readonly now: () => Date
  /** From 0 up to 1. */
  readonly random: () => number
  /** Rejects once the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** Of this process. */
  readonly usage: {
    /** Bytes. */
    readonly memory: () => number
    /** Seconds of the processor, since the start. */
    readonly processor: () => number
  }
  /** Gives back the memory that nothing needs any more, as far as Node lets it (`--expose-gc`). */
  readonly collectGarbage: () => void
  /** Aborts when the program is to end. */
  readonly stopped: AbortSignal
}

/** What the program that stays goes by. */
export interface DaemonGiven {
  readonly settings: EnforcerSettings
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The world, as it meets it. */
export interface DaemonEffects extends Effects {
  readonly log: Log
}
