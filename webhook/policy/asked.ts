/** What a user asks for, told apart from what admission wrote before. */

import { splitList } from '../../contract/admitted.ts'
import { canonicalAnnotations, findRewrites, type Rewrite } from '../../contract/aliases.ts'
import { type Annotations, type LimitAnnotations, readLimitAnnotations } from '../../contract/annotations.ts'
import { DEFAULTED_KEY, isOurKey, PREFIX, WRITER_ONLY_KEYS } from '../../contract/keys.ts'
import { createMemory } from '../../contract/memory.ts'
import type { PodInfo, Subject } from './subject.ts'

/** A user's annotations under canonical keys: without aliases, without what only admission writes, without its defaults. */
export interface Asked extends LimitAnnotations {
  readonly annotations: Annotations
  /** The pod's annotations without its defaults, to the letter. */
  readonly written: Annotations
  /** What became of each alias. */
  readonly rewrites: readonly Rewrite[]
}

/**
 * `defaults` are the keys that admission would fill in, with their values.
 * A listed key is admission's own where its value is the one it would write now, where nobody touched it since it was stored
 * as listed, or where the stored object did not list it: then an earlier pass over this request listed it, or it came with a
 * manifest copied from an admitted pod, or somebody forged it, which is idle, since the value is dropped and found anew.
 * Else a user has claimed it: whoever edits a stored default leaves the list as it is.
 */
export function findAsked(
  { pod, old }: Pick<Subject, 'pod' | 'old'>,
  defaults: ReadonlyMap<string, string>,
): Asked {
  const listed = listedKeys(pod)
  const before = old === undefined ? NONE_LISTED : listedKeys(old)
  // Of most pods nothing is listed, and so everything is the user's.
  const isNoneOwn = listed.size === 0 && before.size === 0
  const isRepeated = (key: string, value: string): boolean =>
    (listed.has(key) && value === defaults.get(key)) || (before.has(key) && value === old?.annotations[key])
  const isOwn = (key: string, value: string): boolean =>
    (listed.has(key) && !before.has(key)) || isRepeated(key, value)
  // Before aliases are rewritten: a default of ours must not beat what a user says under an older key.
  const written = isNoneOwn
    ? pod.annotations
    : filterEntries(pod.annotations, (key, value) => !isOwn(key, value))
  const rewrites = findRewrites(written)
  // And after: an alias that says what the default says already claims nothing.
  const annotations = filterEntries(
    canonicalAnnotations(written, rewrites),
    (key, value) => isOurKey(key) && !isWriterOnly(key) && !isRepeated(key, value),
  )
  const { pod: limits, scope, containers, problems } = readLimitAnnotations(annotations)
  return { pod: limits, scope, containers, problems, annotations, written, rewrites }
}

/** The older key that a user wrote in place of this one, which is its canonical form; undefined where this one stands there. */
export const findAlias = ({ written, rewrites }: Asked, key: string): string | undefined =>
  Object.hasOwn(written, key)
    ? undefined
    : rewrites.find((rewrite) => rewrite.key === key && rewrite.beatenBy === undefined)?.alias

/** The same object where all are kept, as mostly. */
function filterEntries(
  annotations: Annotations,
  isKept: (key: string, value: string) => boolean,
): Annotations {
  const keys = Object.keys(annotations)
  const kept: [key: string, value: string][] = []
  for (const key of keys) {
    const value = String(annotations[key])
    if (isKept(key, value)) kept.push([key, value])
  }
  if (kept.length === 0) return NONE
  return kept.length === keys.length ? annotations : Object.fromEntries(kept)
}

export const isWriterOnly = (key: string): boolean => (WRITER_ONLY_KEYS as readonly string[]).includes(key)

/** Keys that the list of defaults names, but for those that somebody has edited while no webhook answered. */
export function listedKeys({ annotations, edited }: PodInfo): ReadonlySet<string> {
  const list = annotations[DEFAULTED_KEY]
  if (list === undefined) return NONE_LISTED
  const keys = LISTS.recall(list) ?? LISTS.keep(list, readList(list))
  return edited === undefined || edited.size === 0
    ? keys
    : new Set([...keys].filter((key) => !edited.has(key)))
}

const readList = (list: string): ReadonlySet<string> =>
  new Set(splitList(list).map((name) => `${PREFIX}${name}`))

/** A list names a few of a few keys. */
const LISTS = createMemory<ReadonlySet<string>>({ most: 256, longest: 256 })

const NONE: Annotations = {}
const NONE_LISTED: ReadonlySet<string> = new Set()
