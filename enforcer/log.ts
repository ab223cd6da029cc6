/**
 * The log: a line of JSON each, in the form of pino, which the webhook logs with; pino itself brings along what takes more
 * memory than all of the enforcer's own code.
 */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

type Fields = Readonly<Record<string, unknown>>

/** Fields first, then the message; or the message alone. */
export type LogMethod = (...line: readonly [fields: Fields, text: string] | readonly [text: string]) => void

export type Log = Readonly<Record<'debug' | 'info' | 'warn' | 'error', LogMethod>>

export interface LogDeps {
  /** Takes whole lines. */
  readonly write: (text: string) => void
  readonly now: () => Date
}

/** Says what is at least as grave as the level. An error under `err` is told with its stack and cause. */
export function createLog(level: LogLevel, { write, now }: LogDeps): Log {
  const least = LOG_LEVELS.indexOf(level)
  const at =
    (own: LogLevel): LogMethod =>
    (...[first, text]) => {
      if (LOG_LEVELS.indexOf(own) < least) return
      const fields = typeof first === 'string' ? {} : first
      const msg = typeof first === 'string' ? first : text
      write(`${JSON.stringify({ level: own, time: now().toISOString(), ...fields, msg }, showErrors)}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const showErrors = (_: string, value: unknown): unknown =>
  value instanceof Error
    ? {
        type: value.name,
        message: value.message,
        stack: value.stack,
        ...(value.cause !== undefined && { cause: value.cause }),
      }
    : value
