/** cgroup v1's blkio.throttle files. Source: Linux Documentation/admin-guide/cgroup-v1/blkio-controller.rst. */
import type { Dimension } from '../../contract/limits.ts'

/** One file a dimension, one line a device. */
export const THROTTLE_FILES: Readonly<Record<Dimension, string>> = {
  readIOPS: 'blkio.throttle.read_iops_device',
  writeIOPS: 'blkio.throttle.write_iops_device',
  readBPS: 'blkio.throttle.read_bps_device',
  writeBPS: 'blkio.throttle.write_bps_device',
}

/** The cap of one device; undefined where it has none: the kernel then shows no line, and takes a 0 for one that goes. */
export function parseThrottle(text: string, device: string): bigint | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${device} `))
  const [, value = '0'] = /^\S+ (\d+)$/.exec(line ?? '') ?? []
  const cap = BigInt(value)
  return cap === 0n ? undefined : cap
}

/** 0 takes the line away. */
export const formatThrottle = (device: string, cap: bigint | undefined): string => `${device} ${cap ?? 0n}`
