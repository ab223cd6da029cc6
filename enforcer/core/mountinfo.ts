/** /proc/PID/mountinfo. Source: proc_pid_mountinfo(5), Linux Documentation/filesystems/proc.rst 3.5. */

export interface Mount {
  /** `MAJOR:MINOR` of the filesystem's device; major 0 where it has none of its own. */
  readonly device: string
  /** What of the filesystem is mounted: `/` is the whole of it. */
  readonly root: string
  readonly mountPoint: string
  readonly filesystem: string
  /** The device or whatever the filesystem calls its source. */
  readonly source: string
}

/** Lines that do not parse are passed over: the kernel writes none, and one must not hide the rest. */
export const parseMountinfo = (text: string): readonly Mount[] =>
  text.split('\n').flatMap((line) => parseLine(line) ?? [])

/** The source may be empty (`mount -t tmpfs '' /x`): a line that is dropped could hide the mount that counts. */
const LINE = /^\d+ \d+ (\d+:\d+) (\S+) (\S+) \S+(?: \S+)*? - (\S+) (\S*)(?: |$)/

function parseLine(line: string): Mount | undefined {
  const [whole, device = '', root = '', mountPoint = '', filesystem = '', source = ''] = LINE.exec(line) ?? []
  if (whole === undefined) return undefined
  return {
    device,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    filesystem,
    source: unescape(source),
  }
}

/** Space, tab, newline, backslash and `#` stand as three octal digits. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** What is mounted at a path: where several are, the last one hides the others. */
export const findMount = (mounts: readonly Mount[], path: string): Mount | undefined =>
  mounts.findLast(({ mountPoint }) => mountPoint === path)

/** The mount that a path that is no mount point lies on. */
export function findCoveringMount(mounts: readonly Mount[], path: string): Mount | undefined {
  const above = mounts.filter(
    ({ mountPoint }) => path === mountPoint || path.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`),
  )
  return above.toSorted((a, b) => a.mountPoint.length - b.mountPoint.length).at(-1)
}

/** Without trailing slashes, as mountinfo writes it. */
export const withoutTrailingSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '')
