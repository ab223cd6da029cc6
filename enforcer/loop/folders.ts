/** Where pods' cgroups are: as the last walk over the tree found them, and as the watches tell since. */
import { existsSync, statSync } from 'node:fs'
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
  /** Undefined: nothing that matters has come or gone. */
  readonly interpret: (
    folder: string,
    name: string,
    isListed: (uid: string) => boolean,
  ) => Sighting | undefined
}

export function createFolders(): Folders {
  const paths = new Map<string, readonly string[]>()
  const owners = new Map<string, string>()
  const identities = createIdentities()
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
      identities.retain((path) => parents.has(path) || findOwner(owners, path) !== undefined)
      return fresh
    },
    interpret: (folder, name, isListed) => {
      const path = `${folder}/${name}`
      const { isThere, isNews } = identities.look(path)
      if (!isNews || (!isThere && isOfItself(folder, name))) return undefined
      if (!parents.has(folder)) return seeInside(findOwner(owners, folder))
      const uid = findPodUid(name)
      if (uid === undefined || !(isListed(uid) || isPodUid(uid)))
        return isPodParent(path) ? { kind: 'parent' } : undefined
      const others = (paths.get(uid) ?? []).filter((known) => known !== path)
      set(uid, isThere ? [...others, path] : others)
      return { kind: 'pod', uid, path, isThere }
    },
  }
}

const seeInside = (uid: string | undefined): Sighting | undefined =>
  uid === undefined ? undefined : { kind: 'inside', uid }

/**
 * Which directory stands under a path. Its attributes change as well, dozens of times while systemd and the kubelet set up a pod, and
 * to libuv that looks as if it had come or gone (IN_ISDIR counts as a change of names): only the directory itself can tell.
 * Source: libuv src/unix/linux.c, uv__inotify_read.
 */
function createIdentities() {
  const known = new Map<string, string>()
  return {
    /** News: another one than at the last look, or none. */
    look: (path: string): { readonly isThere: boolean; readonly isNews: boolean } => {
      const identity = identify(path)
      const before = known.get(path)
      if (identity === undefined) known.delete(path)
      else known.set(path, identity)
      return { isThere: identity !== undefined, isNews: identity === undefined || identity !== before }
    },
    retain: (isNeeded: (path: string) => boolean): void => {
      for (const path of known.keys()) if (!isNeeded(path)) known.delete(path)
    },
  }
}

/**
 * Cgroups never share an inode number (kernfs); where a filesystem gives one anew, it keeps the time of birth. What cannot be looked at
 * counts as not there, as `existsSync` has it: nothing may be thrown in the middle of an event.
 */
function identify(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
    return stat && `${stat.ino} ${stat.birthtimeNs}`
  } catch {
    return undefined
  }
}

/** An event of the watched directory itself, which bears its own name. */
const isOfItself = (folder: string, name: string): boolean =>
  folder.endsWith(`/${name}`) && existsSync(folder)

/** The pod in whose cgroup the folder lies. */
function findOwner(owners: ReadonlyMap<string, string>, folder: string): string | undefined {
  for (let above = folder; above !== ''; above = above.slice(0, above.lastIndexOf('/'))) {
    const uid = owners.get(above)
    if (uid !== undefined) return uid
  }
  return undefined
}
