/** Which windows are exceeded, what they impose together, and what that changes on the pod. */
import { readAdmitted } from '../../../contract/admitted.ts'
import { ADAPTED_KEY, DIMENSION_NAMES, type LimitName, limitKey } from '../../../contract/keys.ts'
import {
  type BytesPerSecond,
  DIMENSIONS,
  type Dimension,
  type Iops,
  isMore,
  UNLIMITED,
} from '../../../contract/limits.ts'
import { formatLimit } from '../../../contract/overrides.ts'
import { type Adapted, formatAdapted } from '../../policy/adapted.ts'
import { listedKeys } from '../../policy/asked.ts'
import type { Changes } from '../../policy/changes.ts'
import type { Adaptive, AdaptiveWindow, LimitRule } from '../../policy/policy.ts'
import type { PodInfo } from '../../policy/subject.ts'
import { fit } from './bounds.ts'
import { averageOver, type History, type Rates } from './history.ts'
import { formatRate } from './rate.ts'

/** A limit that is stricter than what the pod has, and the excess that asks for it. */
export interface Target {
  readonly dimension: Dimension
  readonly limit: Iops | BytesPerSecond
  /** `write-iops 2310/s over 15m, above 800`. */
  readonly why: string
}

export type Found =
  | { readonly kind: 'targets'; readonly targets: readonly Target[] }
  | { readonly kind: 'too little seen' | 'calm' | 'stricter already' }

/** What is looked at under a rule that limits. */
export interface Sight {
  readonly pod: PodInfo
  readonly rule: LimitRule
  readonly history: History
  readonly now: number
}

/** In each dimension the strictest limit of all windows that are exceeded. */
export function findTargets({ pod, rule, history, now }: Sight, { windows }: Adaptive): Found {
  const averages = windows.map(({ over }) => averageOver(history, now, over))
  if (averages.every((average) => average === undefined)) return { kind: 'too little seen' }
  const asked = windows.flatMap((window, index) => findAsked(window, averages[index], rule))
  if (asked.length === 0) return { kind: 'calm' }
  const { limits } = readAdmitted(pod.annotations)
  const targets = DIMENSIONS.flatMap((dimension) => {
    const [strictest] = asked
      .filter((target) => target.dimension === dimension)
      .toSorted((a, b) => (isMore(a.limit, b.limit) ? 1 : -1))
    return strictest !== undefined && isMore(limits[dimension] ?? UNLIMITED, strictest.limit)
      ? [strictest]
      : []
  })
  return targets.length > 0 ? { kind: 'targets', targets } : { kind: 'stricter already' }
}

/** All that a window imposes, where it is exceeded in any dimension. */
function findAsked(
  { text, above, limit }: AdaptiveWindow,
  average: Rates | undefined,
  rule: LimitRule,
): readonly Target[] {
  const why = DIMENSIONS.flatMap((dimension) => {
    const [rate, bound] = [average?.[dimension], above[dimension]]
    if (rate === undefined || bound === undefined || rate <= Number(bound)) return []
    return `${formatRate(dimension, rate)} over ${text}, above ${formatLimit(DIMENSION_NAMES[dimension].own, bound)}`
  }).join(', ')
  if (why === '') return []
  return DIMENSIONS.flatMap((dimension) => {
    const value = limit[dimension]
    return value === undefined ? [] : [{ dimension, limit: fit(value, dimension, rule), why }]
  })
}

/** `batch: write-iops 2310/s over 15m, above 800; iops 500/s over 1h, above 400`. */
export const describeTargets = ({ name }: LimitRule, targets: readonly Target[]): string =>
  `${name}: ${[...new Set(targets.map(({ why }) => why))].join('; ')}`

interface Imposing {
  readonly targets: readonly Target[]
  readonly why: string
  /** What is imposed already: what stood before that is what is remembered. */
  readonly adapted?: Adapted
}

export function planImposing({ pod, now }: Sight, { targets, why, adapted }: Imposing): Changes {
  const values = targets.map(({ dimension, limit }) => {
    const { own } = DIMENSION_NAMES[dimension]
    return { name: own, key: limitKey(own), text: formatLimit(own, limit) }
  })
  const note = formatAdapted({
    since: new Date(now).toISOString(),
    imposed: { ...adapted?.imposed, ...toRecord(values.map(({ name, text }) => [name, text])) },
    replaced: { ...toRecord(values.map(({ name, key }) => [name, findOwn(pod, key)])), ...adapted?.replaced },
    why,
  })
  return {
    set: { ...Object.fromEntries(values.map(({ key, text }) => [key, text])), [ADAPTED_KEY]: note },
    remove: [],
  }
}

const toRecord = <T>(entries: readonly (readonly [LimitName, T])[]): { readonly [name in LimitName]?: T } =>
  Object.fromEntries(entries)

/** What a user wrote there; null where nobody did. */
const findOwn = (pod: PodInfo, key: string): string | null =>
  listedKeys(pod).has(key) ? null : (pod.annotations[key] ?? null)
