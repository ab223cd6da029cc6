/** Which cgroup version throttles block devices here, and where its tree begins. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { bad, ok, type Result } from '../../contract/problem.ts'
import type { CgroupVersion } from '../core/throttling.ts'
import { readOptional } from './files.ts'

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
  const blkio = path.join(root, 'blkio')
  const hasBlkio = await isFolder(blkio)
  const isV2 = controllers !== undefined || (!hasBlkio && (await holdsPods(root)))
  const version = wanted === 'auto' ? detectVersion(isV2, hasBlkio) : wanted
  if (version === undefined) {
    return refuse(root, 'has neither cgroup.controllers (v2) nor blkio (v1)', 'or set CGROUP_ROOT')
  }
  if (version === 'v1') {
    if (hasBlkio) return ok({ version, root: blkio })
    return refuse(root, 'has no blkio, so it is no cgroup v1 tree', 'or set CGROUP_ROOT or CGROUP_VERSION')
  }
  return checkV2(root, controllers, hasBlkio)
}

const detectVersion = (isV2: boolean, hasBlkio: boolean): CgroupVersion | undefined =>
  isV2 ? 'v2' : hasBlkio ? 'v1' : undefined

async function checkV2(
  root: string,
  controllers: string | undefined,
  hasBlkio: boolean,
): Promise<Result<CgroupTree>> {
  // A tree of directories alone will do: a recorded one has no cgroup.controllers.
  if (controllers === undefined && (hasBlkio || !(await isFolder(root)))) {
    return refuse(
      root,
      'has no cgroup.controllers, so it is no cgroup v2 tree',
      'or set CGROUP_ROOT or CGROUP_VERSION',
    )
  }
  if (controllers === undefined || controllers.trim().split(/\s+/).includes('io'))
    return ok({ version: 'v2', root })
  return bad({
    field: `CGROUP_ROOT ${root}`,
    reason: `has no io controller: cgroup.controllers lists ${controllers.trim() || 'none'}`,
    cure: 'boot a kernel with CONFIG_BLK_CGROUP and without cgroup_disable=io; in a container, mount the tree of the host',
  })
}

const refuse = (root: string, reason: string, orElse: string): Result<CgroupTree> =>
  bad({ field: `CGROUP_ROOT ${root}`, reason, cure: `mount the cgroup filesystem there, ${orElse}` })

/** A kubelet's tree, by what stands at its top: `kubepods`, `kubepods.slice`, `kubelet.slice`. */
async function holdsPods(root: string): Promise<boolean> {
  try {
    return (await readdir(root)).some((name) => /^kube(?:pods|let)/.test(name))
  } catch {
    return false
  }
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory()
  } catch {
    return false
  }
}
