/** Which cgroup version throttles block devices here, and where its tree begins. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { bad, ok, type Result } from '../../contract/problem.ts'
import type { CgroupVersion } from '../core/throttling.ts'

export interface CgroupTree {
  readonly version: CgroupVersion
  /** The directory below which pods are looked for. */
  readonly root: string
}

/**
 * v2 has `cgroup.controllers` at its root; v1 has one tree a controller, `blkio` among them. On a hybrid host the v2 tree
 * stands beside at `unified`, without the io controller, and v1 throttles.
 */
export async function detectCgroups(
  root: string,
  wanted: CgroupVersion | 'auto',
): Promise<Result<CgroupTree>> {
  const controllers = await readOptional(path.join(root, 'cgroup.controllers'))
  const version = wanted === 'auto' ? (controllers === undefined ? 'v1' : 'v2') : wanted
  if (version === 'v1') return await findV1(root)
  if (controllers === undefined) {
    return bad({
      field: 'CGROUP_ROOT',
      value: root,
      reason: 'is no cgroup v2 tree: it has no cgroup.controllers',
      cure: 'mount the cgroup filesystem there, or set CGROUP_ROOT or CGROUP_VERSION',
    })
  }
  if (controllers.trim().split(/\s+/).includes('io')) return ok({ version, root })
  return bad({
    field: 'CGROUP_ROOT',
    value: `${root}/cgroup.controllers`,
    reason: 'does not list the io controller',
    cure: 'boot without cgroup_no_v1 or cgroup_disable options that take io away, and with CONFIG_BLK_CGROUP',
  })
}

async function findV1(root: string): Promise<Result<CgroupTree>> {
  const blkio = path.join(root, 'blkio')
  if (await isFolder(blkio)) return ok({ version: 'v1', root: blkio })
  return bad({
    field: 'CGROUP_ROOT',
    value: root,
    reason: 'has neither cgroup.controllers (v2) nor blkio (v1)',
    cure: 'mount the cgroup filesystem there, or set CGROUP_ROOT',
  })
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory()
  } catch {
    return false
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}
