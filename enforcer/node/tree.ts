/** Finding pods in a cgroup tree: whatever lies above and between, a pod's directory says its uid. */
import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { findContainerId, findPodUid, isPodUid } from '../core/names.ts'
import type { ContainerGroup, PodGroup } from '../core/targets.ts'
import { isGone } from './files.ts'

/** Deeper than any kubelet puts a pod, in containers that hold nodes too; a bound on what a strange tree can cost. */
const DEEPEST = 24

export interface Groups {
  readonly groups: readonly PodGroup[]
  /** Of directories that could not be listed: what lies in them is not known, the rest goes on. */
  readonly problems: readonly Problem[]
}

interface Search {
  readonly uids: ReadonlySet<string>
  readonly problems: Problem[]
}

/** The directories of the pods whose uids are asked for. Directories that vanish meanwhile are passed over. */
export async function findPodGroups(root: string, uids: ReadonlySet<string>): Promise<Groups> {
  const problems: Problem[] = []
  return { groups: await walk(root, 0, { uids, problems }), problems }
}

async function walk(folder: string, depth: number, search: Search): Promise<readonly PodGroup[]> {
  const found = await Promise.all(
    (await listFolders(folder, depth, search)).map(async (name) => {
      const uid = findPodUid(name)
      const path = `${folder}/${name}`
      if (uid !== undefined && search.uids.has(uid))
        return [{ uid, path, containers: await findContainers(path, depth + 1, search) }]
      // What a pod of another list holds is its own, whatever the directories in it are called.
      return uid !== undefined && isPodUid(uid) ? [] : await walk(path, depth + 1, search)
    }),
  )
  return found.flat()
}

async function findContainers(
  pod: string,
  depth: number,
  search: Search,
): Promise<readonly ContainerGroup[]> {
  const groups = await Promise.all(
    (await listFolders(pod, depth, search)).map(async (name) => {
      const id = findContainerId(name)
      return id === undefined ? [] : [{ id, paths: await listBelow(`${pod}/${name}`, depth + 1, search) }]
    }),
  )
  return groups.flat()
}

/** The folder and all that are in it, outermost first. */
async function listBelow(folder: string, depth: number, search: Search): Promise<readonly string[]> {
  const nested = await Promise.all(
    (await listFolders(folder, depth, search)).map((name) =>
      listBelow(`${folder}/${name}`, depth + 1, search),
    ),
  )
  return [folder, ...nested.flat()]
}

async function listFolders(folder: string, depth: number, { problems }: Search): Promise<readonly string[]> {
  if (depth > DEEPEST) return []
  try {
    const entries: readonly Dirent[] = await readdir(folder, { withFileTypes: true })
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
