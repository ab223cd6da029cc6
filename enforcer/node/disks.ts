/** Which whole disks the data mounts lie on. */
import { readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { type DeviceReference, findDevice } from '../core/disk.ts'
import { parseMountinfo } from '../core/mountinfo.ts'
import { readOptional } from './files.ts'

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
  const entry = await findEntry(reference, sys)
  try {
    const node = await realpath(entry)
    const isPartition = (await readOptional(path.join(node, 'partition'))) !== undefined
    const device = await readDevice(isPartition ? path.dirname(node) : node)
    return { disks: [{ mount, device }], problems: [] }
  } catch (error) {
    return {
      disks: [],
      problems: [
        {
          field: `DATA_MOUNT ${mount}`,
          reason: `lies on ${entry}, which leads to no disk: ${messageOf(error)}`,
          cure: 'check that sysfs is mounted there and knows the device, or set SYS_ROOT',
        },
      ],
    }
  }
}

async function findEntry(reference: DeviceReference, sys: string): Promise<string> {
  if ('number' in reference) return path.join(sys, 'dev/block', reference.number)
  const folder = path.join(sys, 'class/block')
  if ('name' in reference) return path.join(folder, reference.name)
  for (const name of await listOptional(folder)) {
    const mapped = name.startsWith('dm-') && (await readOptional(path.join(folder, name, 'dm/name')))
    if (mapped === `${reference.mapped}\n`) return path.join(folder, name)
  }
  return path.join(folder, reference.mapped)
}

async function readDevice(node: string): Promise<string> {
  const device = (await readFile(path.join(node, 'dev'), 'utf8')).trim()
  if (/^\d+:\d+$/.test(device)) return device
  throw new Error(`${node}/dev holds ${JSON.stringify(device)}, not MAJOR:MINOR`)
}

async function listOptional(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch {
    return []
  }
}
