/** From a data mount to what names its disk, in words where it cannot be. */
import type { Problem, Result } from '../../contract/problem.ts'
import { bad, ok } from '../../contract/problem.ts'
import { findCoveringMount, findMount, type Mount, withoutTrailingSlash } from './mountinfo.ts'

/**
 * How to find the device in sysfs: by number (`dev/block/259:1`), by its name there (`class/block/sda1`), or by the name that
 * device-mapper gave it (`class/block/dm-0/dm/name`).
 */
export type DeviceReference =
  | { readonly number: string }
  | { readonly name: string }
  | { readonly mapped: string }

/** A disk that a setting names: `259:0`, `nvme0n1`, `/dev/nvme0n1` or `/dev/mapper/vg-data`. */
export const parseDeviceName = (text: string): DeviceReference =>
  /^\d+:\d+$/.test(text) ? { number: text } : (findSource(text) ?? { name: text })

/** `path` has to be a mount point: a folder on some other disk would be limited in silence otherwise. */
export function findDevice(mounts: readonly Mount[], path: string): Result<DeviceReference> {
  const mountPoint = withoutTrailingSlash(path)
  const mount = findMount(mounts, mountPoint)
  if (mount === undefined) return bad(explainNoMount(mounts, mountPoint))
  if (!mount.device.startsWith('0:')) return ok({ number: mount.device })
  const source = findSource(mount.source)
  return source === undefined ? bad(explainNoDisk(mount)) : ok(source)
}

/**
 * A folder that is mounted by itself is a bind mount, or, in a pod, a hostPath where no disk is mounted (yet): which of them
 * was meant, nobody here can tell. A root of btrfs names a subvolume, and says nothing.
 */
export function findMountNotice(mounts: readonly Mount[], path: string): string | undefined {
  const mount = findMount(mounts, withoutTrailingSlash(path))
  if (mount === undefined || mount.root === '/' || mount.filesystem === 'btrfs') return undefined
  const { mountPoint, root, filesystem, source } = mount
  return `DATA_MOUNT ${mountPoint} is the folder ${root} of a filesystem (${filesystem}, ${source}), whose disk is limited: where a disk of its own was to be there, it is not mounted`
}

/** Filesystems with a device number of their own (0:x), btrfs above all, name their disk as the source. */
function findSource(source: string): DeviceReference | undefined {
  const [, mapped, name] = /^\/dev\/(?:mapper\/(.+)|(.+))$/.exec(source) ?? []
  if (mapped !== undefined) return { mapped }
  // sysfs writes the slash of `/dev/cciss/c0d0` as "!" (drivers/base/core.c, device_get_devnode).
  return name === undefined ? undefined : { name: name.replaceAll('/', '!') }
}

const explainNoDisk = ({ mountPoint, filesystem, source }: Mount): Problem => ({
  field: `DATA_MOUNT ${mountPoint}`,
  reason: `is ${filesystem} (${source}), which has no disk of its own on this node`,
  cure: 'name a mount point whose filesystem lies on a local disk',
})

function explainNoMount(mounts: readonly Mount[], mountPoint: string): Problem {
  const covering = findCoveringMount(mounts, mountPoint)
  const where = covering === undefined ? '' : `; it lies on ${covering.mountPoint} (${covering.source})`
  return {
    field: `DATA_MOUNT ${mountPoint}`,
    reason: `is not a mount point${where}`,
    cure: 'name the mount point of the disk to limit, or mount the disk there',
  }
}
