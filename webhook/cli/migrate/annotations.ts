/** Annotations of the older service on one pod, under the keys of today; and what of their meaning changes on the way. */
import { ALIAS_KEYS, findRewrites } from '../../../contract/aliases.ts'
import { readLimitAnnotations } from '../../../contract/annotations.ts'
import { limitKey } from '../../../contract/keys.ts'
import { UNLIMITED } from '../../../contract/limits.ts'
import { formatProblem, quoteValue } from '../../../contract/problem.ts'

type Annotations = Readonly<Record<string, string>>

export interface Migrated {
  readonly set: Annotations
  readonly remove: readonly string[]
  /** What became of a key, and what means something else than before. */
  readonly remarks: readonly string[]
  /** What nobody but its author can mend. */
  readonly problems: readonly string[]
}

const HEAD = 'kubediskguard.io/'
const REMOVED = `${HEAD}removed`

export function migrateAnnotations(annotations: Annotations): Migrated {
  if (annotations[REMOVED] === 'true') return releaseLimits(annotations)
  const rewrites = findRewrites(annotations)
  const set = Object.fromEntries(
    rewrites
      .filter(({ beatenBy }) => beatenBy === undefined)
      .map(({ key, value }) => [key, isZero(value) ? UNLIMITED : value]),
  )
  const remove = rewrites.map(({ alias }) => alias)
  const after = Object.fromEntries(
    Object.entries({ ...annotations, ...set }).filter(([key]) => !remove.includes(key)),
  )
  return {
    set,
    remove,
    remarks: [
      ...rewrites.map(({ alias, key, value, beatenBy }) =>
        beatenBy === undefined
          ? `${alias} is now ${key}${isZero(value) ? ' "max": 0 meant no limit' : ''}`
          : `${alias} ${quoteValue(value)} is dropped: ${beatenBy.key} says ${quoteValue(beatenBy.value)}`,
      ),
      ...findDifferences(
        annotations,
        rewrites.map(({ alias }) => alias),
      ),
      ...findMeaningless(annotations),
    ],
    problems: rewrites.length === 0 ? [] : readLimitAnnotations(after).problems.map(formatProblem),
  }
}

const isZero = (value: string): boolean => /^[-+]?0+$/.test(value)

/** `removed` meant zero everywhere, which is no limit. */
function releaseLimits(annotations: Annotations): Migrated {
  const aliases = Object.keys(annotations).filter((key) => ALIAS_KEYS.has(key))
  return {
    set: { [limitKey('limit')]: UNLIMITED, [limitKey('bps')]: UNLIMITED },
    remove: [...aliases, REMOVED],
    remarks: [
      `${REMOVED} is now ${limitKey('limit')} and ${limitKey('bps')} "max": no limit, where the policy allows it`,
    ],
    problems: [],
  }
}

/** Where the older service gave the same annotations another meaning (its pkg/annotationkeys and service.go). */
function findDifferences(annotations: Annotations, aliases: readonly string[]): readonly string[] {
  const isRead = (alias: string): boolean => alias.startsWith(HEAD) || (alias.startsWith('nvme-') && !hasHead)
  const hasHead = aliases.some((alias) => alias.startsWith(HEAD))
  const unread = aliases.filter((alias) => !isRead(alias))
  return [
    ...unread.map(
      (alias) =>
        `${alias} limited nothing in the older service's last version${alias.startsWith('nvme-') ? `, beside keys of ${HEAD}` : ''}, and limits now`,
    ),
    ...PAIRS.filter(({ both, own }) => annotations[both] !== undefined && annotations[own] !== undefined).map(
      ({ both, own }) =>
        `${both} beat ${own} in the older service; now the key of one direction wins: remove it to keep what was`,
    ),
  ]
}

const PAIRS = ['iops', 'bps'].flatMap((unit) =>
  ['read', 'write'].map((direction) => ({ both: HEAD + unit, own: `${HEAD}${direction}-${unit}` })),
)

const findMeaningless = (annotations: Annotations): readonly string[] =>
  Object.keys(annotations)
    .filter((key) => key.startsWith(HEAD) && !ALIAS_KEYS.has(key))
    .map((key) => `${key} means nothing here and is left as it is`)
