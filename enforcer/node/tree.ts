/** Finding pods in a cgroup tree: whatever lies above and between, a pod's directory says its uid. */
import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { findContainerId, findPodUid } from '../core/names.ts'
import type { ContainerGroup, PodGroup } from '../core/targets.ts'

/** Deeper than any kubelet puts a pod; a bound on what a strange tree can cost. */
const DEEPEST = 12

/** The directories of the pods whose uids are asked for. Directories that vanish meanwhile are passed over. */
export async function findPodGroups(root: string, uids: ReadonlySet<string>): Promise<readonly PodGroup[]> {
  return await walk(root, 0, uids)
}

async function walk(folder: string, depth: number, uids: ReadonlySet<string>): Promise<readonly PodGroup[]> {
  if (depth > DEEPEST) return []
  const found = await Promise.all(
    (await listFolders(folder)).map(async (name) => {
      const uid = findPodUid(name)
      const path = `${folder}/${name}`
      if (uid === undefined) return await walk(path, depth + 1, uids)
      return uids.has(uid) ? [{ uid, path, containers: await findContainers(path) }] : []
    }),
  )
  return found.flat()
}

async function findContainers(pod: string): Promise<readonly ContainerGroup[]> {
  const groups = await Promise.all(
    (await listFolders(pod)).map(async (name) => {
      const id = findContainerId(name)
      return id === undefined ? [] : [{ id, paths: await listBelow(`${pod}/${name}`, 0) }]
    }),
  )
  return groups.flat()
}

/** The folder and all that are in it, outermost first. */
async function listBelow(folder: string, depth: number): Promise<readonly string[]> {
  if (depth > DEEPEST) return []
  const nested = await Promise.all(
    (await listFolders(folder)).map((name) => listBelow(`${folder}/${name}`, depth + 1)),
  )
  return [folder, ...nested.flat()]
}

async function listFolders(folder: string): Promise<readonly string[]> {
  try {
    const entries: readonly Dirent[] = await readdir(folder, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted()
  } catch {
    return []
  }
}
