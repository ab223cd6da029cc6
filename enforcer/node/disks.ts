/** Which whole disks the data mounts lie on. */
import { readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { type DeviceReference, findDevice, findMountNotice, parseDeviceName } from '../core/disk.ts'
import { parseMountinfo } from '../core/mountinfo.ts'
import { readOptional } from './files.ts'

export interface Roots {
  /** `/proc`: its `self/mountinfo` is read. */
  readonly proc: string
  /** `/sys`. */
  readonly sys: string
}

export interface Disk {
  /** As `DATA_MOUNT` or `DEVICE` has it. */
  readonly mount: string
  /** `MAJOR:MINOR` of the whole disk: blk-throttle refuses a partition with ENODEV. */
  readonly device: string
}

export interface Disks {
  readonly disks: readonly Disk[]
  /** Of mounts that lie on no disk: the others go on. */
  readonly problems: readonly Problem[]
  /** What may not be as it was meant. */
  readonly notices: readonly string[]
}

/** What to limit: mount points whose disks are found, and disks by name or number, which need no finding. */
export interface Wanted {
  readonly mounts: readonly string[]
  readonly devices: readonly string[]
}

export async function readDisks({ mounts, devices }: Wanted, roots: Roots): Promise<Disks> {
  const found = await Promise.all([
    ...(mounts.length > 0 ? await readMounts(mounts, roots) : []),
    ...devices.map((name) =>
      readDisk({ mount: name, field: `DEVICE ${name}` }, parseDeviceName(name), roots),
    ),
  ])
  return {
    disks: found.flatMap(({ disks }) => disks),
    problems: found.flatMap(({ problems }) => problems),
    notices: found.flatMap(({ notices }) => notices),
  }
}

async function readMounts(mounts: readonly string[], roots: Roots): Promise<readonly Promise<Disks>[]> {
  const mountinfo = parseMountinfo(await readFile(path.join(roots.proc, 'self/mountinfo'), 'utf8'))
  return mounts.map(async (mount) => {
    const reference = findDevice(mountinfo, mount)
    if (!reference.ok) return { disks: [], problems: reference.problems, notices: [] }
    const found = await readDisk({ mount, field: `DATA_MOUNT ${mount}` }, reference.value, roots)
    const notice = findMountNotice(mountinfo, mount)
    return notice === undefined ? found : { ...found, notices: [notice] }
  })
}

interface Named {
  readonly mount: string
  readonly field: string
}

async function readDisk({ mount, field }: Named, reference: DeviceReference, { sys }: Roots): Promise<Disks> {
  const entry = await findEntry(reference, sys)
  try {
    const members = 'number' in reference ? [] : await findMembers(path.basename(await realpath(entry)), sys)
    const entries = members.length > 0 ? members : [entry]
    const devices = await Promise.all(entries.map(readWholeDisk))
    return { disks: devices.map((device) => ({ mount, device })), problems: [], notices: [] }
  } catch (error) {
    return {
      disks: [],
      problems: [
        {
          field,
          reason: `lies on ${entry}, which leads to no disk: ${messageOf(error)}`,
          cure: 'check that sysfs is mounted there and knows the device, or set SYS_ROOT',
        },
      ],
      notices: [],
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

/** All devices of the btrfs that this one is of; none where it is of none. Source: Linux fs/btrfs/sysfs.c. */
async function findMembers(name: string, sys: string): Promise<readonly string[]> {
  const folder = path.join(sys, 'fs/btrfs')
  for (const uuid of await listOptional(folder)) {
    const devices = path.join(folder, uuid, 'devices')
    const members = await listOptional(devices)
    if (members.includes(name)) return members.map((member) => path.join(devices, member))
  }
  return []
}

/** `MAJOR:MINOR` of the disk itself, where the entry is one of its partitions. */
async function readWholeDisk(entry: string): Promise<string> {
  const node = await realpath(entry)
  const isPartition = (await readOptional(path.join(node, 'partition'))) !== undefined
  return await readDevice(isPartition ? path.dirname(node) : node)
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
