/** When what is imposed goes, and what stands there afterwards. */
import { readAdmitted } from '../../../contract/admitted.ts'
import { type Annotations, readLimitAnnotations, resolveLimits } from '../../../contract/annotations.ts'
import { ADAPTED_KEY, DIMENSION_NAMES, LIMIT_NAMES, limitKey } from '../../../contract/keys.ts'
import { DIMENSIONS, type Limits } from '../../../contract/limits.ts'
import { formatLimit } from '../../../contract/overrides.ts'
import { type Adapted, formatAdapted, planRelease } from '../../policy/adapted.ts'
import { type Changes, carryOut } from '../../policy/changes.ts'
import { formatLength } from '../../policy/duration.ts'
import type { Adaptive, LimitRule, Rule } from '../../policy/policy.ts'
import { fit } from './bounds.ts'
import { averageOver } from './history.ts'
import type { Sight } from './impose.ts'
import { formatRate } from './rate.ts'

/** A value that is imposed stands there no more: no policy changes it, so a person did. */
export const isLifted = ({ imposed }: Adapted, annotations: Annotations): boolean =>
  LIMIT_NAMES.some((name) => imposed[name] !== undefined && annotations[limitKey(name)] !== imposed[name])

export function isOutOfBounds(adapted: Adapted, rule: LimitRule): boolean {
  const limits = readImposed(adapted)
  return DIMENSIONS.some((dimension) => {
    const limit = limits[dimension]
    return limit !== undefined && fit(limit, dimension, rule) !== limit
  })
}

function readImposed({ imposed }: Adapted): Limits {
  const stated = LIMIT_NAMES.flatMap((name) => {
    const text = imposed[name]
    return text === undefined ? [] : [[limitKey(name), text] as const]
  })
  return resolveLimits(readLimitAnnotations(Object.fromEntries(stated)).pod)
}

/**
 * Held against what is imposed, and not against the window that imposed it: a pod that is throttled sits at its limit, however
 * much more it wants.
 */
export function judgeCalm(
  { history, now }: Sight,
  { release }: Adaptive,
  adapted: Adapted,
): { readonly kind: 'calm'; readonly why: string } | { readonly kind: 'too little seen' | 'busy' } {
  const average = averageOver(history, now, release.for)
  if (average === undefined) return { kind: 'too little seen' }
  const limits = readImposed(adapted)
  const sights = DIMENSIONS.flatMap((dimension) => {
    const [limit, rate] = [limits[dimension], average[dimension]]
    if (limit === undefined) return []
    const text = formatLimit(DIMENSION_NAMES[dimension].own, limit)
    return [
      {
        isCalm: rate < release.below * Number(limit),
        text: `${formatRate(dimension, rate)} over ${formatLength(release.for)}, below ${release.below} of ${text}`,
      },
    ]
  })
  if (!sights.every(({ isCalm }) => isCalm)) return { kind: 'busy' }
  return { kind: 'calm', why: sights.map(({ text }) => text).join(', ') }
}

/**
 * What gives the pod back what stood there before, but no more than today's rule lets a pod ask for: admission would refuse that,
 * as an update that makes the pod worse, and the limit would never go.
 */
export function planRestoring(adapted: Adapted, annotations: Annotations, rule: Rule | undefined): Changes {
  const plain = planRelease(adapted, annotations)
  if (rule?.exempt !== false) return plain
  const { limits } = readAdmitted(carryOut(plain, annotations))
  const set: Record<string, string> = { ...plain.set }
  for (const dimension of DIMENSIONS) {
    const { own } = DIMENSION_NAMES[dimension]
    const [key, limit] = [limitKey(own), limits[dimension]]
    const isTouched = Object.hasOwn(plain.set, key) || plain.remove.includes(key)
    if (!isTouched || limit === undefined) continue
    const fitting = fit(limit, dimension, rule)
    if (fitting !== limit) set[key] = formatLimit(own, fitting)
  }
  return { set, remove: plain.remove.filter((key) => !Object.hasOwn(set, key)) }
}

/** All that is still imposed goes with what was lifted, and the note says that the pod is left alone. */
export function planLifted({ pod, rule, now }: Sight, adapted: Adapted): Changes {
  const { set, remove } = planRestoring(adapted, pod.annotations, rule)
  const note = { ...adapted, imposed: {}, replaced: {}, lifted: new Date(now).toISOString() }
  return {
    set: { ...set, [ADAPTED_KEY]: formatAdapted(note) },
    remove: remove.filter((key) => key !== ADAPTED_KEY),
  }
}
