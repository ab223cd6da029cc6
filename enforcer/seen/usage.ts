/** What the kernel says of one cgroup: limits that stand, and what has been moved. */
import { readFileSync } from 'node:fs'
import { DIMENSIONS, type Dimension } from '../../contract/limits.ts'
import { messageOf } from '../../contract/problem.ts'
import type { Caps } from '../core/caps.ts'
import { parseIoMax } from '../core/iomax.ts'
import { parseThrottle, THROTTLE_FILES } from '../core/throttle.ts'
import type { CgroupVersion } from '../core/throttling.ts'
import {
  type Pressure,
  parseIoStat,
  parsePressure,
  parseServiced,
  SERVICED,
  type Usage,
} from '../core/usage.ts'

export interface Reading {
  readonly caps: Caps
  /** Undefined where nothing was moved yet, or the kernel does not count. */
  readonly usage: Usage | undefined
}

export function readGroup(path: string, device: string, version: CgroupVersion): Reading {
  if (version === 'v2')
    return {
      caps: parseIoMax(read(`${path}/io.max`), device),
      usage: parseIoStat(read(`${path}/io.stat`), device),
    }
  const caps: { [dimension in Dimension]?: bigint } = {}
  for (const dimension of DIMENSIONS) {
    const cap = parseThrottle(read(`${path}/${THROTTLE_FILES[dimension]}`), device)
    if (cap !== undefined) caps[dimension] = cap
  }
  const [bytes, operations] = [SERVICED.bytes, SERVICED.operations].map((file) => read(`${path}/${file}`))
  return { caps, usage: parseServiced(bytes ?? '', operations ?? '', device) }
}

/**
 * What has been moved; a text is why that cannot be told. A disk that is not named has not been used: the kernel begins its
 * line with the first operation.
 */
export function readCounters(path: string, device: string, version: CgroupVersion): Usage | string {
  const files = version === 'v2' ? ['io.stat'] : [SERVICED.bytes, SERVICED.operations]
  try {
    const [first = '', second = ''] = files.map((file) => readFileSync(`${path}/${file}`, 'utf8'))
    const usage = version === 'v2' ? parseIoStat(first, device) : parseServiced(first, second, device)
    return usage ?? UNUSED
  } catch (error) {
    return `${files.join(' and ')} cannot be read: ${messageOf(error)}`
  }
}

const UNUSED: Usage = { readBytes: 0n, writtenBytes: 0n, reads: 0n, writes: 0n }

/** v2 only, and only where the kernel keeps pressure (CONFIG_PSI). */
export const readPressure = (path: string): Pressure | undefined => parsePressure(read(`${path}/io.pressure`))

/** Empty where it is not there: the cgroup may have ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
