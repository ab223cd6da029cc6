/** What is wrong with one piece of input, where it stands, and what to do about it. Never thrown: collected. */
export interface Problem {
  /** Where: an annotation key (`iops-limit/read-iops`) or a field path (`spec.rules[0].max.readIOPS`). */
  readonly field: string
  /** What stood there, as text; absent where nothing did. */
  readonly value?: string
  /** What is wrong with it, as the end of a sentence: `is not a whole number`. */
  readonly reason: string
  /** What to write instead, as an imperative without a full stop. */
  readonly cure: string
}

/** Either a value or everything that is wrong with the input: never half of each. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })

export const bad = (
  ...problems: readonly Problem[]
): { readonly ok: false; readonly problems: readonly Problem[] } => ({
  ok: false,
  problems,
})

/** What an exception says; anything can be thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const SHOWN = 64

/** A problem as one sentence: `iops-limit/read-iops: "1.5" is not a whole number …; write …`. */
export function formatProblem({ field, value, reason, cure }: Problem): string {
  const shown = value === undefined ? '' : `${quoteValue(value)} `
  return `${field}: ${shown}${reason}; ${cure}`
}

/** A user's text in quotes, cut to a length that a message can carry. */
export function quoteValue(value: string): string {
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}...` : value)
}
