/**
 * Finding pods in a cgroup tree: whatever lies above and between, a pod's directory says its uid. Read at one go: the tree is
 * in the kernel's memory, and a walk that yields at every directory takes five times the processor's time.
 */
import { type Dirent, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { findContainerId, findPodUid, isPodParent, isPodUid } from '../core/names.ts'
import type { PodGroup } from '../core/targets.ts'
import type { CgroupVersion } from '../core/throttling.ts'
import { isGone } from './files.ts'

/** Deeper than any kubelet puts a pod, in containers that hold nodes too; a bound on what a strange tree can cost. */
const DEEPEST = 24

export interface PodFolders {
  /** Paths by the uid in their name: of pods that are listed, and of those that look like pods. */
  readonly folders: ReadonlyMap<string, readonly string[]>
  /** Where pods' directories are, and may appear: to be watched. */
  readonly parents: ReadonlySet<string>
  /** Of directories that could not be listed: what lies in them is not known, the rest goes on. */
  readonly problems: readonly Problem[]
}

/** Directories that vanish meanwhile are passed over. `uids`: of listed pods, whose names may have any form. */
export function findPodFolders(root: string, uids: ReadonlySet<string>): PodFolders {
  const folders = new Map<string, string[]>()
  const parents = new Set([root])
  const problems: Problem[] = []
  const walk = (folder: string, depth: number): void => {
    for (const name of listFolders(folder, depth, problems)) {
      const uid = findPodUid(name)
      const found = `${folder}/${name}`
      // What a pod holds is its own, whatever the directories in it are called.
      if (uid !== undefined && (uids.has(uid) || isPodUid(uid))) {
        folders.set(uid, [...(folders.get(uid) ?? []), found])
        addUpwards(parents, folder)
      } else {
        if (isPodParent(found)) addUpwards(parents, found)
        walk(found, depth + 1)
      }
    }
  }
  walk(root, 0)
  return { folders, parents, problems }
}

/** Every pod that is in the tree, whoever knows of it: by the form of its uid, or because the kubelet's directory holds it. */
export function findAllPodFolders(
  root: string,
): Pick<PodFolders, 'folders'> & { readonly problems: Problem[] } {
  const folders = new Map<string, string[]>()
  const problems: Problem[] = []
  const walk = (folder: string, depth: number): void => {
    for (const name of listFolders(folder, depth, problems)) {
      const uid = findPodUid(name)
      const found = `${folder}/${name}`
      if (uid !== undefined && (isPodUid(uid) || isPodParent(folder)))
        folders.set(uid, [...(folders.get(uid) ?? []), found])
      else walk(found, depth + 1)
    }
  }
  walk(root, 0)
  return { folders, problems }
}

/** The folder and all above it, as far as they are not known. */
function addUpwards(known: Set<string>, folder: string): void {
  for (let above = folder; !known.has(above); above = path.dirname(above)) known.add(above)
}

export interface Groups {
  readonly groups: readonly PodGroup[]
  readonly problems: readonly Problem[]
}

/** The pod's containers as they are now, on v1 with what is nested in them: v2 needs their own directories only. */
export function readPodGroup(uid: string, folder: string, version: CgroupVersion): Groups {
  const problems: Problem[] = []
  const listContainer = (path: string): readonly string[] =>
    version === 'v1' ? listBelow(path, 1, problems) : [path]
  const containers = listFolders(folder, 0, problems).flatMap((name) => {
    const id = findContainerId(name)
    return id === undefined ? [] : [{ id, paths: listContainer(`${folder}/${name}`) }]
  })
  return { groups: [{ uid, path: folder, containers }], problems }
}

/** The same, with its oldest container: inode numbers of cgroups only grow (kernfs: 64 bits, never given twice). */
export function readOldest(group: PodGroup): PodGroup {
  let oldest: { readonly id: string; readonly inode: bigint } | undefined
  for (const { id, paths } of group.containers) {
    const inode = statSync(paths[0] ?? '', { bigint: true, throwIfNoEntry: false })?.ino
    if (inode !== undefined && (oldest === undefined || inode < oldest.inode)) oldest = { id, inode }
  }
  return oldest === undefined ? group : { ...group, oldest: oldest.id }
}

/** The folder and all that are in it, outermost first. */
export const listBelow = (folder: string, depth: number, problems: Problem[]): readonly string[] => [
  folder,
  ...listFolders(folder, depth, problems).flatMap((name) =>
    listBelow(`${folder}/${name}`, depth + 1, problems),
  ),
]

function listFolders(folder: string, depth: number, problems: Problem[]): readonly string[] {
  if (depth > DEEPEST) return []
  try {
    const entries: readonly Dirent[] = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted()
  } catch (error) {
    if (!isGone(error)) {
      problems.push({
        field: folder,
        reason: `cannot be listed: ${messageOf(error)}`,
        cure: 'run as root, with the cgroup filesystem mounted',
      })
    }
    return []
  }
}
