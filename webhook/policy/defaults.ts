/** What a rule fills in. Each rule has few sets of defaults, by which of them pods leave open: each set is made once. */
import type { Annotations } from '../../contract/annotations.ts'
import { DIMENSION_NAMES, limitKey, PREFIX, SCOPE_KEY } from '../../contract/keys.ts'
import { DIMENSIONS } from '../../contract/limits.ts'
import { once } from './once.ts'
import type { LimitRule } from './policy.ts'

/** A set of defaults, and all the ways in which it is written. */
export interface Defaults {
  /** Values by annotation key. */
  readonly values: ReadonlyMap<string, string>
  /** The same, as annotations. */
  readonly annotations: Annotations
  /** `read-iops`: what the list of defaults calls them. */
  readonly names: readonly string[]
  /** `read-iops,write-iops`: as the annotation that tells of them. */
  readonly list: string
  /** `read-iops=2000, write-iops=1000`; empty where there are none. */
  readonly text: string
}

/** All that a rule could fill in, and what of it was ever left open. */
export interface PossibleDefaults extends Defaults {
  readonly parts: readonly {
    readonly key: string
    readonly value: string
    /** The key of both directions that also decides what this one would. */
    readonly both: string
    readonly bit: number
  }[]
  /** By the sum of their bits: there are at most five defaults, so at most 32 of these. */
  readonly subsets: Map<number, Defaults>
}

type Entries = readonly (readonly [key: string, value: string])[]

function createDefaults(entries: Entries): Defaults {
  const names = entries.map(([key]) => key.slice(PREFIX.length))
  return {
    values: new Map(entries),
    annotations: Object.fromEntries(entries),
    names,
    list: names.join(','),
    text: entries.map(([key, value]) => `${key.slice(PREFIX.length)}=${value}`).join(', '),
  }
}

function createPossible(entries: Entries): PossibleDefaults {
  const parts = entries.map(([key, value], index) => ({
    ...{ key, value, bit: 1 << index },
    both: BOTH.get(key) ?? key,
  }))
  return { ...createDefaults(entries), parts, subsets: new Map() }
}

const BOTH: ReadonlyMap<string, string> = new Map(
  DIMENSIONS.map((dimension) => DIMENSION_NAMES[dimension]).map(({ own, both }) => [
    limitKey(own),
    limitKey(both),
  ]),
)

export const NO_DEFAULTS: PossibleDefaults = createPossible([])

/** Limits, and the scope where the rule, or that some containers are exempt, asks for one. */
export function findDefaults(rule: LimitRule, hasExempt: boolean): PossibleDefaults {
  const { limits, scoped } = defaultsOf(rule)
  return hasExempt || rule.scope === 'container' ? scoped : limits
}

const defaultsOf = once(({ defaults }: LimitRule) => {
  const limits = defaults.map(({ name, text }) => [limitKey(name), text] as const)
  return { limits: createPossible(limits), scoped: createPossible([...limits, [SCOPE_KEY, 'container']]) }
})

/** Those that the user has not decided; a value that cannot be read is a decision too. */
export function findOpen({ parts, subsets }: PossibleDefaults, annotations: Annotations): Defaults {
  let open = 0
  for (const { key, both, bit } of parts)
    if (annotations[key] === undefined && annotations[both] === undefined) open |= bit
  const known = subsets.get(open)
  if (known !== undefined) return known
  const kept = parts.filter(({ bit }) => (open & bit) !== 0)
  const subset = createDefaults(kept.map(({ key, value }) => [key, value]))
  subsets.set(open, subset)
  return subset
}
