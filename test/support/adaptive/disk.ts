/** A pod on a disk that is throttled, its advisor, and admission between them: what comes of a day. */
import type { Annotations } from '../../../contract/annotations.ts'
import { type Act, advise } from '../../../webhook/advisor/core/decide.ts'
import { addReading, EMPTY_HISTORY, type History } from '../../../webhook/advisor/core/history.ts'
import { carryOut } from '../../../webhook/policy/changes.ts'
import { decide } from '../../../webhook/policy/decide.ts'
import type { LimitRule, PolicySet } from '../../../webhook/policy/policy.ts'
import { policiesOf, policyText } from '../policies.ts'
import { podOf, subjectOf } from '../subjects.ts'
import type { Demand } from './traces.ts'

/** Seconds from one reading to the next, and from one sample of the demand to the next. */
const STEP = 60
const SAMPLE = 10
const START = Date.UTC(2026, 10, 21)

export interface Setting {
  readonly rule: LimitRule
  readonly policies: PolicySet
}

export const LIMITS = 'default: {iops: 2000}, max: {iops: 5000}, min: {iops: 100}'

/** Policy `p` with the one rule `batch`, whose `adaptive` block is given. */
export function settingOf(adaptive: string): Setting {
  const policies = policiesOf(policyText('p', `{name: batch, ${LIMITS}, adaptive: ${adaptive}}`))
  const rule = policies.get('p')?.rules[0]
  if (rule?.exempt !== false) throw new Error('the rule limits')
  return { rule, policies }
}

export interface SimulatedPod {
  readonly annotations: Annotations
  readonly history: History
}

export function admitPod(setting: Setting): SimulatedPod {
  return { annotations: admit(setting, {}, undefined), history: EMPTY_HISTORY }
}

/** As the API server stores what is asked for. A refusal is a mistake of the advisor's. */
function admit({ policies }: Setting, after: Annotations, before: Annotations | undefined): Annotations {
  const subject = subjectOf({ enforce: 'p' }, { annotations: after }, before && { annotations: before })
  const verdict = decide({ ...subject, isOwn: true }, { policies, exemptNamespaces: [] })
  if (!verdict.allowed) throw new Error(verdict.refusal)
  return carryOut(verdict.changes, after)
}

export const limitOf = ({ annotations }: SimulatedPod): number => Number(annotations['iops-limit/write-iops'])
export const isCapped = ({ annotations }: SimulatedPod): boolean =>
  annotations['iops-limit/adapted'] !== undefined

export interface Turn {
  readonly pod: SimulatedPod
  readonly act?: Act
}

/** One reading, one look, and what follows; `second` is when it ends. */
export function turn(setting: Setting, pod: SimulatedPod, writeIOPS: number, second: number): Turn {
  const now = START + second * 1000
  const rates = { readIOPS: 0, writeIOPS, readBPS: 0, writeBPS: 0 }
  const history = addReading(pod.history, { at: now, seconds: STEP, rates }, keepOf(setting.rule))
  const advice = advise({ pod: podOf({ annotations: pod.annotations }), rule: setting.rule, history, now })
  if (advice.kind === 'none') return { pod: { ...pod, history } }
  const annotations = admit(setting, carryOut(advice.changes, pod.annotations), pod.annotations)
  return { pod: { annotations, history: advice.kind === 'release' ? EMPTY_HISTORY : history }, act: advice }
}

const keepOf = ({ adaptive }: LimitRule): number =>
  Math.max(adaptive?.release.for ?? 0, ...(adaptive?.windows ?? []).map(({ over }) => over))

export interface Day {
  readonly imposed: number
  readonly tightened: number
  readonly released: number
  /** Of the time, that a limit was imposed. */
  readonly cappedShare: number
  /** Of what was wanted, that was done. */
  readonly doneShare: number
  /** The strictest and the loosest that was imposed; absent where nothing was. */
  readonly strictest?: number
  readonly loosest?: number
}

/** The disk does no more than the limit in force, and nothing is caught up. */
export function simulateDay(setting: Setting, demand: Demand, hours = 24): Day {
  let pod = admitPod(setting)
  const acts: Act['kind'][] = []
  const limits: number[] = []
  let [capped, wanted, done] = [0, 0, 0]
  for (let second = 0; second < hours * 3600; second += STEP) {
    const [limit, before] = [limitOf(pod), isCapped(pod)]
    let [asked, got] = [0, 0]
    for (let sample = 0; sample < STEP; sample += SAMPLE) {
      const rate = demand(second + sample, before)
      asked += rate * SAMPLE
      got += Math.min(rate, limit) * SAMPLE
    }
    wanted += asked
    done += got
    if (before) capped += STEP
    const { pod: next, act } = turn(setting, pod, got / STEP, second + STEP)
    pod = next
    if (act !== undefined) acts.push(act.kind)
    if (act?.kind === 'impose' || act?.kind === 'tighten') limits.push(limitOf(pod))
  }
  const count = (kind: Act['kind']): number => acts.filter((each) => each === kind).length
  return {
    imposed: count('impose'),
    tightened: count('tighten'),
    released: count('release'),
    cappedShare: capped / (hours * 3600),
    doneShare: wanted === 0 ? 1 : done / wanted,
    ...(limits.length > 0 && { strictest: Math.min(...limits), loosest: Math.max(...limits) }),
  }
}

/**
 * How often a day a limit can be imposed at all: it stands at least the hold, and once it is gone nine tenths of the shortest
 * window have to be read before anything is known.
 */
export function mostImposed({ adaptive }: LimitRule): number {
  const [shortest] = adaptive?.windows ?? []
  return Math.ceil((24 * 3_600_000) / ((adaptive?.hold ?? 0) + 0.9 * (shortest?.over ?? 0)))
}
