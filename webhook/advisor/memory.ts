/** What one leader keeps from turn to turn, by keys of pods; the next one begins without it. */
import type { Policy } from '../policy/policy.ts'
import { createHistories, type Histories } from './histories.ts'

export interface Memory {
  readonly histories: Histories
  /** Namespaces with nothing imposed, by the policy under which that was seen. */
  readonly cleared: Map<string, Policy>
  /** Writes that were refused. */
  readonly refusals: Map<string, Refusal>
  /** What was told and not done: when it is to be told anew, by the clock. */
  readonly reported: Map<string, number>
}

export interface Refusal {
  readonly reason: string
  /** In a row. */
  readonly count: number
  /** By the clock: not to be tried before. */
  readonly until: number
}

export const createMemory = (): Memory => ({
  histories: createHistories(),
  cleared: new Map(),
  refusals: new Map(),
  reported: new Map(),
})

/** Pods that are gone leave nothing behind. */
export function forgetPods(
  { histories, refusals, reported }: Memory,
  isThere: (key: string) => boolean,
): void {
  histories.retain(isThere)
  for (const kept of [refusals, reported]) for (const key of kept.keys()) if (!isThere(key)) kept.delete(key)
}
