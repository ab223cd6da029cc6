/**
 * Real throttling on this machine: a file behind a loop device as the disk, real v1 blkio cgroups shaped as the kubelet's,
 * and a load past the page cache. All of it needs root; {@link findObstacle} says what is missing.
 */
import { execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { messageOf } from '../../../contract/problem.ts'
import { findMount, parseMountinfo } from '../../../enforcer/core/mountinfo.ts'

export const BLKIO = '/sys/fs/cgroup/blkio'
const TOOLS = ['mkfs.ext4', 'mount', 'umount', 'dd', 'sh']

/** Why no limit can be measured here; undefined where it can. */
export function findObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid?.() !== 0) return 'cgroups and loop devices need root'
  if (!existsSync(path.join(BLKIO, 'blkio.throttle.read_iops_device')))
    return `there is no cgroup v1 throttling at ${BLKIO}`
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices (/dev/loop-control)'
  const missing = TOOLS.filter((tool) => !isOnPath(tool))
  return missing.length === 0 ? findRefusal() : `tools are missing: ${missing.join(', ')}`
}

/** Root in a container may still be denied: only trying tells. */
function findRefusal(): string | undefined {
  try {
    using groups = createPodGroups([['trial', 'trial']])
    using disk = createLoopDisk()
    writeFileSync(
      path.join(groups.container('trial', 'trial'), 'blkio.throttle.read_iops_device'),
      `${disk.device} 100`,
    )
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

const isOnPath = (tool: string): boolean =>
  (process.env['PATH'] ?? '')
    .split(':')
    .concat('/usr/sbin', '/sbin')
    .some((folder) => existsSync(path.join(folder, tool)))

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  }).trim()

export interface LoopDisk extends Disposable {
  /** Mount point of an ext4 filesystem that fills the disk. */
  readonly mount: string
  /** `/dev/loopN`. */
  readonly node: string
  /** `MAJOR:MINOR`. */
  readonly device: string
}

/** Megabytes: as much as the longest measurement reads. */
const SIZE = 128

export function createLoopDisk(): LoopDisk {
  removeLeftovers()
  const folder = mkdtempSync(path.join(tmpdir(), `${OURS}${process.pid}-`))
  const [image, mount] = [path.join(folder, 'image'), path.join(folder, 'data')]
  try {
    mkdirSync(mount)
    writeFileSync(image, '')
    truncateSync(image, SIZE * 2 ** 20)
    run('mkfs.ext4', '-q', '-F', image)
    // The loop device ends with the mount, whoever ends that (LO_FLAGS_AUTOCLEAR).
    run('mount', '-o', 'loop', image, mount)
    const device = findMount(readMounts(), mount)?.device ?? ''
    const node = `/dev/${path.basename(realpathSync(`/sys/dev/block/${device}`))}`
    return { mount, node, device, [Symbol.dispose]: () => removeDisk(folder) }
  } catch (error) {
    removeDisk(folder)
    throw error
  }
}

export interface PodGroups extends Disposable {
  /** Of a container's cgroup. */
  readonly container: (uid: string, id: string) => string
}

/** `kubepods/burstable/podUID/ID` of each, under a root of its own, so that a real kubelet's tree is not touched. */
export function createPodGroups(containers: readonly (readonly [uid: string, id: string])[]): PodGroups {
  removeLeftovers()
  const root = mkdtempSync(path.join(BLKIO, `${OURS}${process.pid}-`))
  const container = (uid: string, id: string): string =>
    path.join(root, 'kubepods/burstable', `pod${uid}`, id)
  for (const [uid, id] of containers) mkdirSync(container(uid, id), { recursive: true })
  return { container, [Symbol.dispose]: () => removeGroups(root) }
}

/** How everything here is called, with the process that made it. */
const OURS = 'iops-limit-test-'

/** What processes left behind that were killed before they could clean up. */
function removeLeftovers(): void {
  const isLeft = (name: string): boolean => {
    const pid = name.startsWith(OURS) ? Number.parseInt(name.slice(OURS.length), 10) : Number.NaN
    return pid > 0 && !existsSync(`/proc/${pid}`)
  }
  for (const name of readdirSync(tmpdir()).filter(isLeft)) removeDisk(path.join(tmpdir(), name))
  for (const name of readdirSync(BLKIO).filter(isLeft)) removeGroups(path.join(BLKIO, name))
}

function removeDisk(folder: string): void {
  const mount = path.join(folder, 'data')
  // Lazily, since a load that was interrupted may still hold it.
  if (findMount(readMounts(), mount) !== undefined) run('umount', '--lazy', mount)
  rmSync(folder, { recursive: true, force: true })
}

const readMounts = () => parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'))

/** Innermost first; the kernel's files go with their directory. A load that still runs in one goes on outside. */
function removeGroups(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroups(path.join(folder, entry.name))
  }
  for (const pid of readFileSync(path.join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
    moveToRoot(pid)
  rmdirSync(folder)
}

function moveToRoot(pid: string): void {
  try {
    writeFileSync(path.join(BLKIO, 'cgroup.procs'), pid)
  } catch {
    // ESRCH: it has ended meanwhile.
  }
}

export interface Load {
  readonly direction: 'read' | 'write'
  /** Blocks of 4 KiB, at most as many as fit into {@link FILE}. */
  readonly count: number
}

export interface Rate {
  /** Operations per second. */
  readonly iops: number
  readonly seconds: number
}

const BLOCK = 4096
/** Megabytes of the file that is read and written. */
const FILE = 64

/** Blocks moved one by one past the page cache by a process inside the cgroup, and how fast that went. */
export async function measure(group: string, disk: LoopDisk, { direction, count }: Load): Promise<Rate> {
  const file = path.join(disk.mount, 'load')
  if (!existsSync(file) || statSync(file).size < FILE * 2 ** 20)
    run('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', `count=${FILE}`, 'conv=fsync', 'status=none')
  const dd =
    direction === 'read'
      ? `exec dd if='${file}' of=/dev/null bs=${BLOCK} count=${count} iflag=direct`
      : `exec dd if=/dev/zero of='${file}' bs=${BLOCK} count=${count} oflag=direct conv=notrunc`
  const report = await runInside(group, dd)
  const seconds = Number(/, ([\d.]+) s,/.exec(report)?.[1])
  if (!(seconds > 0)) throw new Error(`dd said no time: ${report}`)
  return { iops: count / seconds, seconds }
}

function runInside(group: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `echo $$ > '${group}/cgroup.procs' && ${command}`], {
      env: { ...process.env, LC_ALL: 'C' },
    })
    let report = ''
    child.stderr.on('data', (chunk: Buffer) => (report += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(report) : reject(new Error(`the load ended with ${code}: ${report}`)),
    )
  })
}
