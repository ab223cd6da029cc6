/** How a pod fares, in one word. */

import { isAdmitted } from '../core/targets.ts'
import type { PodRecord } from '../loop/podEnforcer.ts'
import type { Place } from '../place.ts'

/**
 * `limited`: all stands. `failing`: something could not be read or written. `absent`: limits, and no cgroup (yet, or any more).
 * `unmarked`: admission never decided on it. `unlimited`: decided, and no limit.
 */
export const POD_STATES = ['limited', 'failing', 'absent', 'unmarked', 'unlimited'] as const
export type PodState = (typeof POD_STATES)[number]

export function findState(
  { pod, isLimited, folders, problems }: PodRecord,
  { rules }: Pick<Place, 'rules'>,
): PodState {
  if (!isAdmitted(pod, rules)) return 'unmarked'
  if (problems.length > 0) return 'failing'
  if (!isLimited) return 'unlimited'
  return folders.length === 0 ? 'absent' : 'limited'
}
