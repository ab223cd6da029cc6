/** What a user asks for, told apart from what admission wrote before. */

import { splitList } from '../../contract/admitted.ts'
import { canonicalAnnotations, findRewrites, type Rewrite } from '../../contract/aliases.ts'
import { type Annotations, type LimitAnnotations, readLimitAnnotations } from '../../contract/annotations.ts'
import { DEFAULTED_KEY, isOurKey, PREFIX, WRITER_ONLY_KEYS } from '../../contract/keys.ts'
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
 * A listed key is admission's own where its value is the one it would write now (a second pass over its output),
 * or where it was listed before and nobody touched it; anything else a user has claimed, or forged.
 */
export function findAsked(
  { pod, old }: Pick<Subject, 'pod' | 'old'>,
  defaults: ReadonlyMap<string, string>,
): Asked {
  const listed = listedKeys(pod)
  const before = old === undefined ? new Set<string>() : listedKeys(old)
  const isOwn = (key: string, value: string): boolean =>
    (listed.has(key) && value === defaults.get(key)) || (before.has(key) && value === old?.annotations[key])
  // Before aliases are rewritten: a default of ours must not beat what a user says under an older key.
  const written = filterEntries(pod.annotations, (key, value) => !isOwn(key, value))
  // And after: an alias that says what the default says already claims nothing.
  const annotations = filterEntries(
    canonicalAnnotations(written),
    (key, value) => isOurKey(key) && !isWriterOnly(key) && !isOwn(key, value),
  )
  return { ...readLimitAnnotations(annotations), annotations, written, rewrites: findRewrites(written) }
}

const filterEntries = (
  annotations: Annotations,
  isKept: (key: string, value: string) => boolean,
): Annotations => Object.fromEntries(Object.entries(annotations).filter(([key, value]) => isKept(key, value)))

export const isWriterOnly = (key: string): boolean => (WRITER_ONLY_KEYS as readonly string[]).includes(key)

const listedKeys = ({ annotations }: PodInfo): ReadonlySet<string> =>
  new Set(splitList(annotations[DEFAULTED_KEY] ?? '').map((name) => `${PREFIX}${name}`))
