/** What one cgroup is to be held to on one disk, as the kernel counts it. */
import {
  DIMENSIONS,
  type Dimension,
  isIopsDimension,
  type Limits,
  MAX_BPS,
  MAX_IOPS,
  MIN_BPS,
  UNLIMITED,
} from '../../contract/limits.ts'

/** A dimension that is not there is not capped. */
export type Caps = { readonly [dimension in Dimension]?: bigint }

export const NO_CAPS: Caps = {}

/** Numbers within what the kernel takes, whatever came through: an annotation may have been written past admission. */
export function capsOf(limits: Limits): Caps {
  const caps: { [dimension in Dimension]?: bigint } = {}
  for (const dimension of DIMENSIONS) {
    const value = limits[dimension]
    if (value === undefined || value === UNLIMITED) continue
    caps[dimension] = clamp(value, isIopsDimension(dimension) ? MAX_IOPS : MAX_BPS)
  }
  return caps
}

const clamp = (value: bigint, max: bigint): bigint => (value < MIN_BPS ? MIN_BPS : value > max ? max : value)

export const isEqual = (a: Caps, b: Caps): boolean =>
  DIMENSIONS.every((dimension) => a[dimension] === b[dimension])

/** What keeps to all of them: in each dimension the smallest cap. */
export function leastOf(all: readonly Caps[]): Caps {
  const least: { [dimension in Dimension]?: bigint } = {}
  for (const caps of all) {
    for (const dimension of DIMENSIONS) {
      const cap = caps[dimension]
      const before = least[dimension]
      if (cap !== undefined && (before === undefined || cap < before)) least[dimension] = cap
    }
  }
  return least
}
