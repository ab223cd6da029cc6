/** Namespaces: their labels choose the policy, so a label that names none is refused, and any change is previewed. */
import type { NamespaceInfo } from '../policy/policy.ts'
import { findPolicy, type Rulebook } from '../policy/rulebook.ts'
import type { Judgement, ValidationWorld } from './judgement.ts'
import { findLabelChanges, type LabelChange } from './outlook.ts'
import { describeOutlook } from './outlookText.ts'
import { nameOf } from './record.ts'
import type { NamespaceContent, Validation } from './validation.ts'

export function judgeNamespace(
  review: Validation,
  content: NamespaceContent,
  world: ValidationWorld,
): Judgement {
  const changes = findLabelChanges(content.labels, content.oldLabels ?? {})
  if (changes.length === 0) return { outcome: 'untouched', reason: 'unchanged' }
  const namespace = { name: nameOf(review), labels: content.labels }
  const found = changes.map(({ label }) => findPolicy(world, namespace, label))
  const unknown = found.flatMap((each) => (each.unknown ? each.warnings : []))
  const auditAnnotations = { labels: changes.map(describeChange).join('; ') }
  if (unknown.length > 0) {
    const refusal = `${unknown.join('; ')} (namespace ${namespace.name})`
    return { outcome: 'refused', refusal, violations: unknown, auditAnnotations }
  }
  const exempt = found.flatMap(({ warnings }) => warnings)
  const isNew = content.oldLabels === undefined
  const outlook = isNew ? [] : describePods(changes, world)
  const warnings = [...exempt, ...outlook]
  const audit = outlook.length === 0 ? {} : { preview: outlook.join('. ') }
  return {
    outcome: warnings.length > 0 ? 'warned' : 'allowed',
    warnings,
    auditAnnotations: { ...auditAnnotations, ...audit },
  }
}

/** `iops-limit/enforce: gold -> silver`. */
const describeChange = ({ label, before = '(none)', after = '(none)' }: LabelChange): string =>
  `${label}: ${before} -> ${after}`

const describePods = (changes: readonly LabelChange[], { outlook }: ValidationWorld): readonly string[] =>
  outlook === undefined
    ? ['what this changes for the pods of the namespace is not known: they could not be looked at']
    : describeOutlook(changes, outlook)

/** Names of policies that an object's labels name for the first time and nobody here knows: they may be milliseconds old. */
export function findStrangers({ content }: Validation, { policies }: Rulebook): readonly string[] {
  if (content.kind !== 'namespace') return []
  const names = findLabelChanges(content.labels, content.oldLabels ?? {}).flatMap(({ after }) => after ?? [])
  return [...new Set(names)].filter((name) => !policies.has(name))
}

export interface OutlookPlan {
  readonly namespace: NamespaceInfo
  readonly changes: readonly LabelChange[]
}

/** What has to be looked at before the review can be answered; undefined where it needs no look at pods. */
export function planOutlook(review: Validation, rulebook: Rulebook): OutlookPlan | undefined {
  const { content, name } = review
  if (content.kind !== 'namespace' || content.oldLabels === undefined) return undefined
  const changes = findLabelChanges(content.labels, content.oldLabels)
  if (changes.length === 0 || findStrangers(review, rulebook).length > 0) return undefined
  return { namespace: { name, labels: content.labels }, changes }
}
