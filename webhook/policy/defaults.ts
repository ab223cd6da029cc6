/** What a rule fills in. Each rule has few sets of defaults, by which of them pods leave open: each set is made once. */
import type { Annotations } from '../../contract/annotations.ts'
import { DIMENSION_NAMES, limitKey, PREFIX, SCOPE_KEY } from '../../contract/keys.ts'
import { DIMENSIONS } from '../../contract/limits.ts'
import { once } from './once.ts'
import type { LimitRule } from './policy.ts'

/** Values by annotation key. */
export type Defaults = ReadonlyMap<string, string>

export const NO_DEFAULTS: Defaults = new Map()

/** All that the rule could fill in: limits, and the scope where it, or that some containers are exempt, asks for one. */
export function findDefaults(rule: LimitRule, hasExempt: boolean): Defaults {
  const { limits, scoped } = defaultsOf(rule)
  return hasExempt || rule.scope === 'container' ? scoped : limits
}

const defaultsOf = once(({ defaults }: LimitRule) => {
  const limits = defaults.map(({ name, text }) => [limitKey(name), text] as const)
  return { limits: new Map(limits), scoped: new Map([...limits, [SCOPE_KEY, 'container']]) }
})

/** Those that the user has not decided; a value that cannot be read is a decision too. */
export function findOpen(possible: Defaults, annotations: Annotations): Defaults {
  const { bits, subsets } = subsetsOf(possible)
  let open = 0
  for (const { key, both, bit } of bits)
    if (annotations[key] === undefined && annotations[both] === undefined) open |= bit
  const known = subsets.get(open)
  if (known !== undefined) return known
  const kept = bits.filter(({ bit }) => (open & bit) !== 0)
  const subset = new Map(kept.map(({ key, text }) => [key, text]))
  subsets.set(open, subset)
  return subset
}

/** There are at most five defaults, so at most 32 subsets. */
const subsetsOf = once((possible: Defaults) => ({
  bits: [...possible].map(([key, text], index) => ({
    ...{ key, text, bit: 1 << index },
    both: BOTH.get(key) ?? key,
  })),
  subsets: new Map<number, Defaults>([[(1 << possible.size) - 1, possible]]),
}))

/** The key of both directions that also decides what a key of one direction would. */
const BOTH: ReadonlyMap<string, string> = new Map(
  DIMENSIONS.map((dimension) => DIMENSION_NAMES[dimension]).map(({ own, both }) => [
    limitKey(own),
    limitKey(both),
  ]),
)

/** `read-iops`: what the list of defaults calls them. */
export const nameDefaults = once((defaults: Defaults): readonly string[] =>
  [...defaults.keys()].map((key) => key.slice(PREFIX.length)),
)

/** As annotations. */
export const writeDefaults = once((defaults: Defaults): Annotations => Object.fromEntries(defaults))

/** `read-iops,write-iops`: as the annotation that tells of them. */
export const listDefaults = once((defaults: Defaults): string => nameDefaults(defaults).join(','))

/** `read-iops=2000, write-iops=1000`. */
export const formatDefaults = once((defaults: Defaults): string =>
  [...defaults].map(([key, text]) => `${key.slice(PREFIX.length)}=${text}`).join(', '),
)
