/** The only hands on the node's files. Nothing here creates a file or a directory. */
import { constants } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, type Problem } from '../../contract/problem.ts'
import { type FileState, ownerOf, type Snapshot, type Write } from '../core/plan.ts'

/** What the files say now. One after the other: a full node has thousands, and all at once would all be open at once. */
export async function readFiles(files: readonly string[]): Promise<Snapshot> {
  const states = new Map<string, FileState>()
  for (const file of files) states.set(file, await readState(file))
  return states
}

async function readState(file: string): Promise<FileState> {
  try {
    return { text: await readFile(file, 'utf8') }
  } catch (error) {
    if (!isGone(error)) return { failure: messageOf(error) }
    return (await exists(path.dirname(file))) ? 'no-file' : 'no-directory'
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
export type Written = 'written' | 'gone' | Problem

/**
 * One write to a file that exists: with O_CREAT a missing one would give EPERM instead of ENOENT (cgroupfs has no create).
 * Truncation means nothing to the kernel; a stand-in's plain file then holds just the line.
 * The kernel takes or refuses the line as a whole.
 */
export async function writeLine(write: Write): Promise<Written> {
  const { path: file, value } = write
  try {
    const handle = await open(file, constants.O_WRONLY | constants.O_TRUNC)
    try {
      await handle.write(value)
    } finally {
      await handle.close()
    }
    return 'written'
  } catch (error) {
    if (isGone(error) && !(await exists(path.dirname(file)))) return 'gone'
    return {
      field: ownerOf(write),
      reason: `${JSON.stringify(value)} could not be written to ${file}: ${messageOf(error)}`,
      cure: CURES[codeOf(error)] ?? 'look at the kernel log',
    }
  }
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

const exists = async (file: string): Promise<boolean> => {
  try {
    await stat(file)
    return true
  } catch {
    return false
  }
}
