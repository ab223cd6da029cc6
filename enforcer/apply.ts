import type { Write } from './core/plan.ts'
import { type Failure, type Written, writeLine } from './node/files.ts'

export interface Applied {
  readonly written: number
  /** Cgroups that ended meanwhile: nothing is left to limit. */
  readonly gone: number
  readonly failures: readonly Failure[]
  /** What became of each write, in order. */
  readonly outcomes: readonly { readonly write: Write; readonly outcome: Written }[]
}

/** Carries out every write, one after the other; one that fails stops none of the rest. */
export function applyWrites(writes: readonly Write[]): Applied {
  const outcomes = writes.map((write) => ({ write, outcome: writeLine(write) }))
  const count = (wanted: Written): number => outcomes.filter(({ outcome }) => outcome === wanted).length
  return {
    written: count('written'),
    gone: count('gone'),
    failures: outcomes.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : [outcome])),
    outcomes,
  }
}
