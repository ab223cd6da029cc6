/** Annotations to be set and removed. */
import type { Annotations } from '../../contract/annotations.ts'

/** Carried out on an object that already has them, they are none. */
export interface Changes {
  readonly set: Annotations
  readonly remove: readonly string[]
}

export const isNothing = ({ set, remove }: Changes): boolean =>
  Object.keys(set).length === 0 && remove.length === 0

/** The annotations once the changes are made. */
export function carryOut({ set, remove }: Changes, annotations: Annotations): Annotations {
  const removed = new Set(remove)
  const kept = Object.entries(annotations).filter(([key]) => !removed.has(key))
  return { ...Object.fromEntries(kept), ...set }
}
