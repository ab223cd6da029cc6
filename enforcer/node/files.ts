/** The only hands on the node's files. Nothing here creates a file or a directory. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { IO_MAX } from '../core/iomax.ts'
import { type FileState, ownerOf, type Snapshot, type Write } from '../core/plan.ts'

/** What the files say now; read at one go, for they are in the kernel's memory. */
export function readFiles(files: readonly string[]): Snapshot {
  return new Map(files.map((file) => [file, readState(file)]))
}

function readState(file: string): FileState {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    if (!isGone(error)) return { failure: messageOf(error) }
    if (!existsSync(path.dirname(file))) return 'no-directory'
    const disabledBy = path.basename(file) === IO_MAX ? findDisabler(path.dirname(file)) : undefined
    return disabledBy === undefined ? 'no-file' : { disabledBy }
  }
}

/** The topmost of the files above that would have to enable the io controller and do not. */
function findDisabler(group: string): string | undefined {
  let disabler: string | undefined
  for (let folder = path.dirname(group); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, 'cgroup.subtree_control')
    const text = readOptionalSync(file)
    if (text === undefined) break
    if (!text.trim().split(/\s+/).includes('io')) disabler = file
  }
  return disabler
}

function readOptionalSync(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The text of a file that may be missing. */
export async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}

/** `gone`: the cgroup ended meanwhile, and with it all that was to be limited. */
export type Written = 'written' | 'gone' | Failure

export interface Failure extends Problem {
  /** `EINVAL`, `EBUSY`, ... */
  readonly code: string
}

/**
 * One write to a file that exists: with O_CREAT a missing one would give EPERM instead of ENOENT (cgroupfs has no create), and O_TRUNC,
 * which means nothing to the kernel's file, would change attributes first, under a lock that the whole cgroup filesystem shares, and wake
 * whoever watches it before anything stands in it. Source: kernfs_iop_setattr, fs/kernfs/inode.c.
 * The kernel takes or refuses the line as a whole, at once: three trips to a thread and back would take longer than the write.
 */
export function writeLine(write: Write): Written {
  const { path: file, value } = write
  try {
    const descriptor = openSync(file, constants.O_WRONLY)
    try {
      dropRest(descriptor, writeSync(descriptor, value))
    } finally {
      closeSync(descriptor)
    }
    return 'written'
  } catch (error) {
    if (isGone(error) && !existsSync(path.dirname(file))) return 'gone'
    const code = codeOf(error)
    return {
      code,
      field: ownerOf(write),
      reason: `${JSON.stringify(value)} could not be written to ${file}: ${messageOf(error)}`,
      cure: CURES[code] ?? 'look at the kernel log',
    }
  }
}

/** A stand-in's plain file then holds just the line; of the kernel's own files none has a size. */
function dropRest(descriptor: number, bytes: number): void {
  if (fstatSync(descriptor).size > bytes) ftruncateSync(descriptor, bytes)
}

const CURES: Readonly<Record<string, string>> = {
  EACCES:
    'run as root with the cgroup filesystem mounted read-write; on SELinux systems with a type that may write cgroups',
  EBUSY: 'another program holds the cgroup: the next pass tries again',
  EINVAL: 'the kernel does not take this line: see what it says of its io.max or blkio.throttle grammar',
  ENODEV: 'the device is no whole disk, or has gone: check DATA_MOUNT',
  ENOENT: 'enable the io controller for the cgroup above',
  EPERM: 'run as root, without a user namespace (hostUsers: true)',
  ERANGE: 'the value is outside what the kernel takes',
  EROFS: 'mount /sys/fs/cgroup read-write into the container',
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

/** ENODEV is what a file of a removed cgroup gives that was open, or found, a moment before. */
export const isGone = (error: unknown): boolean => ['ENOENT', 'ENODEV', 'ENOTDIR'].includes(codeOf(error))
