/**
 * Workloads: never refused, since their pods are judged when they are made. But whoever applies one sees at once what its
 * pods would get, or why they would be refused; without that it stands in the events of a ReplicaSet.
 */
import { PREFIX } from '../../contract/keys.ts'
import { type Allowed, decide, isAlike, type Refused, type Verdict } from '../policy/decide.ts'
import type { PodInfo } from '../policy/subject.ts'
import { describeViolations } from '../policy/violation.ts'
import { nameDecider } from '../policy/warnings.ts'
import type { World } from './answer.ts'
import type { Judgement } from './judgement.ts'
import type { WorkloadContent } from './validation.ts'

export function judgeWorkload(content: WorkloadContent, { namespace, ...rulebook }: World): Judgement {
  if (content.isControlled) return { outcome: 'untouched', reason: 'controlled' }
  if (isUnchanged(content)) return { outcome: 'untouched', reason: 'unchanged' }
  if (namespace === undefined) return { outcome: 'untouched', reason: 'unknown-namespace' }
  const verdict = decide({ namespace, pod: content.pod }, rulebook)
  const { policy, rule, auditAnnotations, aside, violations } = verdict
  const warnings = describe(verdict, content)
  const outcome = aside === undefined ? 'allowed' : 'untouched'
  return {
    outcome: warnings.length > 0 ? 'warned' : outcome,
    warnings,
    auditAnnotations,
    violations: describeViolations(violations),
    ...(policy !== undefined && { policy }),
    ...(rule !== undefined && { rule }),
    ...(aside !== undefined && { reason: aside }),
  }
}

/** Its pods stay as they are: scaling one up says nothing new. */
const isUnchanged = ({ pod, old }: WorkloadContent): boolean => old !== undefined && isAlike(pod, old)

/** The most important first. */
function describe(verdict: Verdict, { maker, pod }: WorkloadContent): readonly string[] {
  const pods = `pods of this ${maker}`
  const main = verdict.allowed ? describeDefaults(verdict, pod) : describeRefusal(verdict)
  return [
    ...main.map((sentence) => `${pods} would ${sentence}`),
    ...verdict.warnings.map((warning) => `${pods}: ${warning}`),
  ]
}

/** Each on its own, since a line holds no more than one. */
function describeRefusal({ policy = '', rule, violations }: Refused): readonly string[] {
  const decider = nameDecider({ policy, ...(rule !== undefined && { rule: { name: rule } }) })
  return describeViolations(violations).map((sentence) => `be refused: ${decider}: ${sentence}`)
}

/** `get write-iops 500 from gold/everything-else`: a user who has set all limits is told nothing. */
function describeDefaults(
  { defaulted, changes, policy, rule }: Allowed,
  { annotations }: PodInfo,
): readonly string[] {
  const filled = defaulted.map((name) => {
    const key = `${PREFIX}${name}`
    return `${name} ${changes.set[key] ?? annotations[key]}`
  })
  return filled.length === 0 ? [] : [`get ${filled.join(', ')} from ${policy}/${rule}`]
}
