/**
 * The four things that blk-throttle can cap on one disk, and their values.
 * Source: Linux Documentation/admin-guide/cgroup-v2.rst (io.max) and cgroup-v1/blkio-controller.rst.
 */

declare const unit: unique symbol

/** IO operations per second: a whole number from {@link MIN_IOPS} to {@link MAX_IOPS}. */
export type Iops = bigint & { readonly [unit]: 'IO/s' }

/** Bytes per second: a whole number from {@link MIN_BPS} to {@link MAX_BPS}. */
export type BytesPerSecond = bigint & { readonly [unit]: 'B/s' }

/** No cap, said on purpose. Not having said anything is absence, and 0 is never a cap. */
export const UNLIMITED = 'max'
export type Unlimited = typeof UNLIMITED

/** 0 is ERANGE in io.max and "no limit" in v1; 1 is EINVAL on many kernels: 2 is the smallest that all take. */
export const MIN_IOPS = 2n
/** The kernel's counter is 32 bits wide and all ones means "no limit"; v1 would wrap, v2 would clamp. */
export const MAX_IOPS = 2n ** 32n - 2n
export const MIN_BPS = 2n
/** 64 bits wide, all ones means "no limit". */
export const MAX_BPS = 2n ** 64n - 2n

/** What may be capped, by the names of the policy format. */
export interface Limits {
  readonly readIOPS?: Iops | Unlimited
  readonly writeIOPS?: Iops | Unlimited
  readonly readBPS?: BytesPerSecond | Unlimited
  readonly writeBPS?: BytesPerSecond | Unlimited
}

export type Dimension = keyof Limits

/** In the order of every listing. */
export const DIMENSIONS = [
  'readIOPS',
  'writeIOPS',
  'readBPS',
  'writeBPS',
] as const satisfies readonly Dimension[]

export const isIopsDimension = (dimension: Dimension): dimension is 'readIOPS' | 'writeIOPS' =>
  dimension === 'readIOPS' || dimension === 'writeIOPS'

/** `a` allows more than `b`: "unlimited" more than any number. */
export function isMore(a: bigint | Unlimited, b: bigint | Unlimited): boolean {
  if (b === UNLIMITED) return false
  return a === UNLIMITED || a > b
}
