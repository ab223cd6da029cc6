/** The kernel's interface for caps in either cgroup version: which files there are, and what to write where. */
import { DIMENSIONS } from '../../contract/limits.ts'
import { type Caps, isEqual } from './caps.ts'
import { formatIoMax, IO_MAX, parseIoMax } from './iomax.ts'
import { formatThrottle, parseThrottle, THROTTLE_FILES } from './throttle.ts'

export type CgroupVersion = 'v1' | 'v2'

export interface FileWrite {
  /** Name of the file in the cgroup's directory. */
  readonly file: string
  /** One line, without the newline: the kernel takes one device a write. */
  readonly value: string
}

export interface Throttling {
  readonly files: readonly string[]
  /** Texts of {@link files} by name, as they are now; what already holds is not written again. */
  readonly plan: (texts: ReadonlyMap<string, string>, device: string, caps: Caps) => readonly FileWrite[]
}

const V2: Throttling = {
  files: [IO_MAX],
  plan: (texts, device, caps) =>
    isEqual(parseIoMax(texts.get(IO_MAX) ?? '', device), caps)
      ? []
      : [{ file: IO_MAX, value: formatIoMax(device, caps) }],
}

const V1: Throttling = {
  files: DIMENSIONS.map((dimension) => THROTTLE_FILES[dimension]),
  plan: (texts, device, caps) =>
    DIMENSIONS.flatMap((dimension) => {
      const file = THROTTLE_FILES[dimension]
      const holds = parseThrottle(texts.get(file) ?? '', device) === caps[dimension]
      return holds ? [] : [{ file, value: formatThrottle(device, caps[dimension]) }]
    }),
}

export const THROTTLINGS: Readonly<Record<CgroupVersion, Throttling>> = { v1: V1, v2: V2 }
