/** Where pods' cgroups are: as the last walk over the tree found them, and as the watches tell since. */
import { existsSync } from 'node:fs'
import { findPodUid, isPodParent, isPodUid } from '../core/names.ts'
import type { PodFolders } from '../node/tree.ts'

/** What an entry of a watched directory means. `parent`: a directory came in which pods appear. */
export type Sighting =
  | { readonly kind: 'pod'; readonly uid: string; readonly path: string; readonly isThere: boolean }
  | { readonly kind: 'inside'; readonly uid: string }
  | { readonly kind: 'parent' }

export interface Folders {
  readonly of: (uid: string) => readonly string[]
  readonly uids: () => Iterable<string>
  readonly parents: ReadonlySet<string>
  /** Takes over a walk's findings; gives the uids that were not known before. */
  readonly replace: (found: PodFolders) => readonly string[]
  readonly interpret: (
    folder: string,
    name: string,
    isListed: (uid: string) => boolean,
  ) => Sighting | undefined
}

export function createFolders(): Folders {
  const paths = new Map<string, readonly string[]>()
  const owners = new Map<string, string>()
  let parents: ReadonlySet<string> = new Set()
  const set = (uid: string, now: readonly string[]): void => {
    for (const path of paths.get(uid) ?? []) owners.delete(path)
    for (const path of now) owners.set(path, uid)
    if (now.length > 0) paths.set(uid, now)
    else paths.delete(uid)
  }
  return {
    of: (uid) => paths.get(uid) ?? [],
    uids: () => paths.keys(),
    get parents() {
      return parents
    },
    replace: (found) => {
      const fresh = [...found.folders.keys()].filter((uid) => !paths.has(uid))
      for (const uid of [...paths.keys()]) set(uid, found.folders.get(uid) ?? [])
      for (const [uid, now] of found.folders) set(uid, now)
      parents = found.parents
      return fresh
    },
    interpret: (folder, name, isListed) => {
      const path = `${folder}/${name}`
      if (!parents.has(folder)) {
        const uid = findOwner(owners, folder)
        return uid === undefined ? undefined : { kind: 'inside', uid }
      }
      const uid = findPodUid(name)
      if (uid === undefined || !(isListed(uid) || isPodUid(uid)))
        return isPodParent(path) ? { kind: 'parent' } : undefined
      const isThere = existsSync(path)
      const others = (paths.get(uid) ?? []).filter((known) => known !== path)
      set(uid, isThere ? [...others, path] : others)
      return { kind: 'pod', uid, path, isThere }
    },
  }
}

/** The pod in whose cgroup the folder lies. */
function findOwner(owners: ReadonlyMap<string, string>, folder: string): string | undefined {
  for (let above = folder; above !== ''; above = above.slice(0, above.lastIndexOf('/'))) {
    const uid = owners.get(above)
    if (uid !== undefined) return uid
  }
  return undefined
}
