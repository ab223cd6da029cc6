/** Changes of annotations as an RFC 6902 patch. */
import jsonpatch from 'fast-json-patch'
import type { Annotations } from '../../contract/annotations.ts'
import { createMemory, type Memory } from '../../contract/memory.ts'
import type { Changes } from '../policy/changes.ts'
import { once } from '../policy/once.ts'

export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: string | Annotations }
  | { readonly op: 'remove'; readonly path: string }

const MAP = '/metadata/annotations'

/**
 * One `add` or `remove` a key: other webhooks' keys are never touched. The map itself is made only where there is none,
 * since an `add` below a missing parent fails (RFC 6902, 4.1), and one above an existing map would replace it.
 */
export function formatPatch({ set, remove }: Changes, hasAnnotations: boolean): readonly Operation[] {
  const entries = Object.entries(set)
  if (!hasAnnotations) return [{ op: 'add', path: MAP, value: set }]
  return [
    ...remove.map((key) => ({ op: 'remove', path: pathOf(key) }) as const),
    ...entries.map(([key, value]) => ({ op: 'add', path: pathOf(key), value }) as const),
  ]
}

/** RFC 6901, 3: `~` is `~0`, `/` is `~1`. */
const pathOf = (key: string): string => `${MAP}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`

/**
 * The patch as it is sent, base64 of its JSON: empty where there is nothing to do, undefined where it would not apply. What only
 * adds keys to a map says the same of every pod (RFC 6902, 4.1), so the many pods that are given the same defaults share one patch,
 * made and carried out once.
 */
export function encodePatch(target: Target, changes: Changes, apply: ApplyPatch): string | undefined {
  if (changes.remove.length > 0) return encode(target, changes, apply)
  const set = JSON.stringify(changes.set)
  if (set === '{}') return ''
  const known = memoriesOf(apply)[target.hasAnnotations ? 'ofKeys' : 'ofMaps']
  const before = known.recall(set)
  if (before !== undefined) return before
  const encoded = encode(target, changes, apply)
  return encoded === undefined ? undefined : known.keep(set, encoded)
}

/** Of patches that apply, by what they set, as JSON: mostly a few hundred characters, and together never more than 6 MiB. */
const BOUNDS = { most: 512, longest: 1024 }
const memoriesOf = once<ApplyPatch, Memories>(() => ({
  ofKeys: createMemory<string>(BOUNDS),
  ofMaps: createMemory<string>(BOUNDS),
}))

interface Memories {
  readonly ofKeys: Memory<string>
  readonly ofMaps: Memory<string>
}

function encode(target: Target, changes: Changes, apply: ApplyPatch): string | undefined {
  const patch = formatPatch(changes, target.hasAnnotations)
  return isApplicable(patch, target, changes, apply)
    ? Buffer.from(JSON.stringify(patch)).toString('base64')
    : undefined
}

/** Carries out a patch on a document, in place, and gives the outcome; throws where it does not apply. */
export type ApplyPatch = (document: object, patch: readonly Operation[]) => unknown

export const applyPatch: ApplyPatch = (document, patch) => jsonpatch.applyPatch(document, patch).newDocument

/**
 * The API server rejects the pod for a patch that does not apply, even under failurePolicy Ignore (mutating/dispatcher.go):
 * so the patch is carried out here first, on what it touches, and has to give just what was decided.
 */
export function isApplicable(
  patch: readonly Operation[],
  { annotations, hasAnnotations }: Target,
  changes: Changes,
  apply: ApplyPatch,
): boolean {
  try {
    const patched = apply({ metadata: hasAnnotations ? { annotations: { ...annotations } } : {} }, patch)
    return isDecided(patched, annotations, changes)
  } catch {
    return false
  }
}

interface Target {
  readonly annotations: Annotations
  readonly hasAnnotations: boolean
}

function isDecided(patched: unknown, annotations: Annotations, { set, remove }: Changes): boolean {
  // To take away what is not there is a mistake (RFC 6902, 4.2), which the library passes over.
  if (!remove.every((key) => Object.hasOwn(annotations, key))) return false
  const removed = new Set(remove)
  const expected = Object.entries({ ...annotations, ...set }).filter(([key]) => !removed.has(key))
  const found =
    (patched as { readonly metadata?: { readonly annotations?: Annotations } }).metadata?.annotations ?? {}
  return (
    Object.keys(found).length === expected.length && expected.every(([key, value]) => found[key] === value)
  )
}
