/** A rule's bounds, once more at the time of the decision: the rule may be another one than yesterday. */
import {
  type BytesPerSecond,
  type Dimension,
  type Iops,
  isMore,
  type Unlimited,
} from '../../../contract/limits.ts'
import type { LimitRule } from '../../policy/policy.ts'

/** The value, or the bound that it is beyond. */
export function fit<T extends Iops | BytesPerSecond | Unlimited>(
  value: T,
  dimension: Dimension,
  { max, min }: LimitRule,
): T | Iops | BytesPerSecond {
  const [most, least] = [max[dimension], min[dimension]]
  if (most !== undefined && isMore(value, most)) return most
  return least !== undefined && isMore(least, value) ? least : value
}
