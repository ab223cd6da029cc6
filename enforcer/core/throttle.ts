/** cgroup v1's blkio.throttle files. Source: Linux Documentation/admin-guide/cgroup-v1/blkio-controller.rst. */
import type { Dimension } from '../../contract/limits.ts'

/** One file a dimension, one line a device. */
export const THROTTLE_FILES: Readonly<Record<Dimension, string>> = {
  readIOPS: 'blkio.throttle.read_iops_device',
  writeIOPS: 'blkio.throttle.write_iops_device',
  readBPS: 'blkio.throttle.read_bps_device',
  writeBPS: 'blkio.throttle.write_bps_device',
}

/** The cap of one device; undefined where it has no line. */
export function parseThrottle(text: string, device: string): bigint | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${device} `))
  const [, value] = /^\S+ (\d+)$/.exec(line ?? '') ?? []
  return value === undefined || value === '0' ? undefined : BigInt(value)
}

/** 0 takes the line away. */
export const formatThrottle = (device: string, cap: bigint | undefined): string => `${device} ${cap ?? 0n}`
