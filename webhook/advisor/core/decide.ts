/** What follows for one pod from what it did: a pure function, asked at every look. */

import { type Adapted, readAdapted } from '../../policy/adapted.ts'
import type { Changes } from '../../policy/changes.ts'
import type { Adaptive, LimitRule, Rule } from '../../policy/policy.ts'
import { isMirrorPod, type PodInfo } from '../../policy/subject.ts'
import type { History } from './history.ts'
import { describeTargets, findTargets, planImposing } from './impose.ts'
import { isLifted, isOutOfBounds, judgeCalm, planLifted, planRestoring } from './release.ts'

export interface Seen {
  /** As the API server has it. */
  readonly pod: PodInfo
  /** The rule that decides about it now; undefined: none does. */
  readonly rule: Rule | undefined
  readonly history: History
  /** Milliseconds since 1970. */
  readonly now: number
}

export type Advice = None | Act

export interface None {
  readonly kind: 'none'
  readonly why: Rest
}

/** Why nothing is to be done. */
export type Rest =
  | 'not adaptive'
  | 'leaving'
  | 'lifted'
  | 'too little seen'
  | 'calm'
  | 'stricter already'
  | 'held'
  | 'busy'

export interface Act {
  /** `lifted`: a person has lifted what was imposed, which is noted, and the pod is left alone for good. */
  readonly kind: 'impose' | 'tighten' | 'release' | 'lifted'
  /** Of the pod's annotations. After a `release` the pod's history begins anew. */
  readonly changes: Changes
  /** `batch: write-iops 2310/s over 15m, above 800`. */
  readonly why: string
  /** `report`: to be told, and not done. */
  readonly mode: Adaptive['mode']
}

export function advise(seen: Seen): Advice {
  const { pod, rule } = seen
  if (pod.deleting || isMirrorPod(pod)) return rest('leaving')
  const adapted = readAdapted(pod.annotations)
  const adaptive = rule?.exempt === false ? rule.adaptive : undefined
  if (adapted?.lifted !== undefined) return rest('lifted')
  if (rule?.exempt !== false || adaptive === undefined)
    return adapted === undefined
      ? rest('not adaptive')
      : release(seen, adapted, 'its rule adapts no limits any more')
  if (adapted === undefined) return impose({ ...seen, rule }, adaptive)
  return adaptive.mode === 'report'
    ? release(seen, adapted, `${rule.name} only reports now`)
    : reconsider({ ...seen, rule }, adaptive, adapted)
}

type Ruled = Seen & { readonly rule: LimitRule }

const rest = (why: Rest): None => ({ kind: 'none', why })

function impose(seen: Ruled, adaptive: Adaptive, adapted?: Adapted): Advice {
  const found = findTargets(seen, adaptive)
  if (found.kind !== 'targets') return rest(found.kind)
  const why = describeTargets(seen.rule, found.targets)
  const changes = planImposing(seen, { targets: found.targets, why, ...(adapted && { adapted }) })
  return { kind: adapted === undefined ? 'impose' : 'tighten', changes, why, mode: adaptive.mode }
}

/** Something is imposed: a person's word comes first, then today's bounds, then what the pod does. */
function reconsider(seen: Ruled, adaptive: Adaptive, adapted: Adapted): Advice {
  const { pod, rule, now } = seen
  if (isLifted(adapted, pod.annotations)) {
    const changes = planLifted(seen, adapted)
    return {
      kind: 'lifted',
      changes,
      why: `${rule.name}: somebody changed what was imposed`,
      mode: 'enforce',
    }
  }
  if (isOutOfBounds(adapted, rule))
    return release(seen, adapted, `${rule.name}: what was imposed is out of today's bounds`)
  const tighter = impose(seen, adaptive, adapted)
  if (tighter.kind === 'tighten') return tighter
  if (now < Date.parse(adapted.since) + adaptive.hold) return rest('held')
  const calm = judgeCalm(seen, adaptive, adapted)
  return calm.kind === 'calm' ? release(seen, adapted, `${rule.name}: ${calm.why}`) : rest(calm.kind)
}

const release = ({ pod, rule }: Seen, adapted: Adapted, why: string): Act => ({
  kind: 'release',
  changes: planRestoring(adapted, pod.annotations, rule),
  why,
  mode: 'enforce',
})
