/** Pods as they will be stored. What the mutating side told already is not told again. */
import { isOurKey } from '../../contract/keys.ts'
import { decideFinal } from '../policy/final.ts'
import { isOwnUser, type World } from './answer.ts'
import type { Judgement } from './judgement.ts'
import { nameOf } from './record.ts'
import type { Content } from './review.ts'
import type { Validation } from './validation.ts'

type PodContent = Extract<Content, { kind: 'pod' }>

/** A namespace that nobody knows holds its pods to nothing. */
export function judgePod(
  review: Validation,
  { pod, old }: PodContent,
  { namespace, ...rulebook }: World,
): Judgement {
  if (namespace === undefined) return { outcome: 'untouched', reason: 'unknown-namespace' }
  const isOwn = isOwnUser(review.user, rulebook)
  const { kind, ...final } = decideFinal({ namespace, pod, ...(old && { old }), isOwn }, rulebook)
  if ('refusal' in final) {
    const { refusal, ...decided } = final
    const auditAnnotations = { violations: refusal }
    return { outcome: 'refused', ...decided, refusal: `${refusal} (${placeOf(review)})`, auditAnnotations }
  }
  const { aside, ...decider } = final
  const reason = aside === undefined ? {} : { reason: aside }
  if (kind === 'missed') return { outcome: 'missed', ...decider, ...reason, warnings: [MISSED] }
  return { outcome: aside === undefined ? 'allowed' : 'untouched', ...decider, ...reason }
}

const MISSED =
  'the limits of the policy in force are not all on this pod yet: the call that sets them did not come through, or the policy has just changed; the back-fill sets them'

/** A Binding may not carry our keys onto a pod past its admission. */
export function judgeBinding(review: Validation, annotations: Readonly<Record<string, string>>): Judgement {
  const keys = Object.keys(annotations).filter(isOurKey)
  if (keys.length === 0) return { outcome: 'untouched' }
  const shown = keys.slice(0, MOST_KEYS).join(', ')
  const violations = [
    `a Binding may not carry ${keys.length > MOST_KEYS ? `${shown}, ...` : shown}: limits are set on the pod`,
  ]
  return { outcome: 'refused', violations, refusal: `${violations.join()} (${placeOf(review)})` }
}

const MOST_KEYS = 5

const placeOf = (review: Validation): string => `pod ${review.namespace}/${nameOf(review)}`
