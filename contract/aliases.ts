import { LIMIT_NAMES, type LimitName, limitKey } from './keys.ts'

/**
 * Keys of the older service, oldest last: where two say the same thing, the one listed first wins, as it did there
 * (the keys without a prefix were read only where none of the others stood).
 */
const ALIASES: readonly (readonly [alias: string, name: LimitName])[] = [
  ...prefixed('kubediskguard.io/'),
  ...prefixed('io-limit/'),
  ['iops-limit/iops', 'limit'],
  ['nvme-iops', 'limit'],
  ['nvme-iops-read', 'read-iops'],
  ['nvme-iops-write', 'write-iops'],
  ['nvme-bps', 'bps'],
  ['nvme-bps-read', 'read-bps'],
  ['nvme-bps-write', 'write-bps'],
]

function prefixed(prefix: string): readonly (readonly [string, LimitName])[] {
  return LIMIT_NAMES.map((name) => [`${prefix}${name === 'limit' ? 'iops' : name}`, name])
}

/** Every alias with the canonical key that it stands for. */
export const ALIAS_KEYS: ReadonlyMap<string, string> = new Map(
  ALIASES.map(([alias, name]) => [alias, limitKey(name)]),
)

export interface Rewrite {
  readonly alias: string
  readonly key: string
  readonly value: string
  /** The value of a key that beats the alias and differs from it: the alias is dropped. */
  readonly beatenBy?: { readonly key: string; readonly value: string }
}

/** What becomes of each alias on a pod; empty where there is none. The canonical key beats any alias. */
export function findRewrites(annotations: Readonly<Record<string, string>>): readonly Rewrite[] {
  // Most pods have none: their few keys are sooner looked through than all aliases.
  if (!Object.keys(annotations).some((key) => ALIAS_KEYS.has(key))) return []
  const taken = new Map<string, { key: string; value: string }>()
  const rewrites: Rewrite[] = []
  for (const [alias, key] of ALIAS_KEYS) {
    const value = annotations[alias]
    if (value === undefined) continue
    const canonical = annotations[key]
    const winner = canonical === undefined ? taken.get(key) : { key, value: canonical }
    rewrites.push({ alias, key, value, ...(winner && winner.value !== value ? { beatenBy: winner } : {}) })
    if (winner === undefined) taken.set(key, { key: alias, value })
  }
  return rewrites
}

/** The annotations as they read once every alias is rewritten. */
export function canonicalAnnotations(
  annotations: Readonly<Record<string, string>>,
  rewrites: readonly Rewrite[] = findRewrites(annotations),
): Readonly<Record<string, string>> {
  if (rewrites.length === 0) return annotations
  const canonical = { ...annotations }
  for (const { alias, key, value, beatenBy } of rewrites) {
    Reflect.deleteProperty(canonical, alias)
    if (beatenBy === undefined) canonical[key] = value
  }
  return canonical
}
