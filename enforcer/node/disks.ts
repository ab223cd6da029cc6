/** Which whole disks the data mounts lie on. */
import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { type DeviceReference, findDevice } from '../core/disk.ts'
import { parseMountinfo } from '../core/mountinfo.ts'

export interface Roots {
  /** `/proc`: its `self/mountinfo` is read. */
  readonly proc: string
  /** `/sys`. */
  readonly sys: string
}

export interface Disk {
  /** As `DATA_MOUNT` has it. */
  readonly mount: string
  /** `MAJOR:MINOR` of the whole disk: blk-throttle refuses a partition with ENODEV. */
  readonly device: string
}

export interface Disks {
  readonly disks: readonly Disk[]
  /** Of mounts that lie on no disk: the others go on. */
  readonly problems: readonly Problem[]
}

export async function readDisks(mounts: readonly string[], roots: Roots): Promise<Disks> {
  const mountinfo = parseMountinfo(await readFile(path.join(roots.proc, 'self/mountinfo'), 'utf8'))
  const found = await Promise.all(
    mounts.map(async (mount) => {
      const reference = findDevice(mountinfo, mount)
      return reference.ok
        ? await readDisk(mount, reference.value, roots)
        : { disks: [], problems: reference.problems }
    }),
  )
  return { disks: found.flatMap(({ disks }) => disks), problems: found.flatMap(({ problems }) => problems) }
}

async function readDisk(mount: string, reference: DeviceReference, { sys }: Roots): Promise<Disks> {
  const entry =
    'number' in reference
      ? path.join(sys, 'dev/block', reference.number)
      : path.join(sys, 'class/block', reference.name)
  try {
    const node = await realpath(entry)
    const isPartition = (await readOptional(path.join(node, 'partition'))) !== undefined
    const device = await readFile(path.join(isPartition ? path.dirname(node) : node, 'dev'), 'utf8')
    return { disks: [{ mount, device: device.trim() }], problems: [] }
  } catch (error) {
    return {
      disks: [],
      problems: [
        {
          field: `DATA_MOUNT ${mount}`,
          value: entry,
          reason: `does not lead to a disk: ${messageOf(error)}`,
          cure: 'check that sysfs is mounted there and knows the device',
        },
      ],
    }
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}
