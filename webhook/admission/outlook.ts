/** What a change of a namespace's labels would do to its pods: looked at one by one, told in numbers. */
import { rootField } from '../../contract/reader.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import { type Effect, MODE_LABELS, type ModeLabel, preview } from '../policy/preview.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import type { Labels } from '../policy/selector.ts'
import type { PodInfo } from '../policy/subject.ts'
import { readStandingPod } from './backfill.ts'
import { readMeta } from './validation.ts'

export interface LabelChange {
  readonly label: ModeLabel
  readonly before: string | undefined
  readonly after: string | undefined
}

/** What each change would do to each pod that it concerns, and how many pods were looked at. */
export interface Outlook {
  readonly effects: readonly Foreseen[]
  readonly looked: number
  /** All that there are; undefined where nobody knows. */
  readonly total: number | undefined
}

export interface Foreseen {
  readonly label: ModeLabel
  /** `ReplicaSet web-5974c5bb9c`, or `pod one` where nobody manages it. */
  readonly owner: string
  readonly effect: Effect
}

export const findLabelChanges = (labels: Labels, old: Labels): readonly LabelChange[] =>
  MODE_LABELS.map((label) => ({ label, before: valueOf(old, label), after: valueOf(labels, label) })).filter(
    ({ before, after }) => before !== after,
  )

const valueOf = (labels: Labels, label: ModeLabel): string | undefined =>
  Object.hasOwn(labels, label) ? labels[label] : undefined

export interface ListedPod {
  readonly owner: string
  readonly info: PodInfo
}

/** Undefined for a pod that has ended, and for what is no pod. */
export function readListedPod(item: unknown): ListedPod | undefined {
  const pod = readStandingPod(item)
  const meta = readMeta(rootField(item, ''))
  if (pod === undefined || meta === undefined) return undefined
  return { owner: meta.controller ?? `pod ${pod.name}`, info: pod.info }
}

/** `namespace` is as it would be. */
export const foresee = (
  changes: readonly LabelChange[],
  { namespace, pods }: { readonly namespace: NamespaceInfo; readonly pods: readonly ListedPod[] },
  rulebook: Rulebook,
): readonly Foreseen[] =>
  changes.flatMap(({ label }) =>
    pods.flatMap(({ owner, info }) => {
      const effect = preview(label, { namespace, pod: info }, rulebook)
      return effect === undefined ? [] : [{ label, owner, effect }]
    }),
  )
