/** cgroup v2's io.max. Source: Linux Documentation/admin-guide/cgroup-v2.rst, block/blk-throttle.c (tg_set_limit). */
import type { Dimension } from '../../contract/limits.ts'
import type { Caps } from './caps.ts'

export const IO_MAX = 'io.max'

const KEYS = {
  rbps: 'readBPS',
  wbps: 'writeBPS',
  riops: 'readIOPS',
  wiops: 'writeIOPS',
} as const satisfies Record<string, Dimension>

/** The caps of one device; a device without a line has none. */
export function parseIoMax(text: string, device: string): Caps {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${device} `))
  const caps: { [dimension in Dimension]?: bigint } = {}
  for (const [, key = '', value = ''] of (line ?? '').matchAll(/(\w+)=(\d+)(?= |$)/g)) {
    const dimension = Object.hasOwn(KEYS, key) ? KEYS[key as keyof typeof KEYS] : undefined
    if (dimension !== undefined) caps[dimension] = BigInt(value)
  }
  return caps
}

/** Always all four keys, since one that is left out keeps its old value; `max` four times takes the line away. */
export const formatIoMax = (device: string, caps: Caps): string =>
  [device, ...Object.entries(KEYS).map(([key, dimension]) => `${key}=${caps[dimension] ?? 'max'}`)].join(' ')
