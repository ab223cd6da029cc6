/** From a decision to the annotations that have to be set and removed. */
import { ALIAS_KEYS } from '../../contract/aliases.ts'
import type { Annotations } from '../../contract/annotations.ts'
import {
  ADAPTED_KEY,
  DEFAULTED_KEY,
  EXEMPT_CONTAINERS_KEY,
  isOurKey,
  POLICY_KEY,
  WRITER_ONLY_KEYS,
} from '../../contract/keys.ts'
import { findAdapted } from './adapted.ts'
import { isWriterOnly } from './asked.ts'
import type { Changes } from './changes.ts'
import type { Evaluation } from './evaluate.ts'
import type { Subject } from './subject.ts'

/** What makes the pod carry its admitted limits: the user's under canonical keys, the defaults, and the mark. */
export function planChanges(evaluation: Evaluation, subject: Omit<Subject, 'namespace'>): Changes {
  const { pod } = subject
  const isExempt = evaluation.rule?.exempt === true
  const adapted = findAdapted(subject)
  const decided = isExempt ? keptAsTheyAre(evaluation) : admittedAnnotations(evaluation)
  const target = adapted === undefined ? decided : { ...decided, [ADAPTED_KEY]: adapted }
  const isOwned = (key: string): boolean => isOurKey(key) || (!isExempt && ALIAS_KEYS.has(key))
  const set: Writable = {}
  for (const key of Object.keys(target)) {
    const value = String(target[key])
    if (pod.annotations[key] !== value) set[key] = value
  }
  return {
    set,
    remove: Object.keys(pod.annotations).filter((key) => !Object.hasOwn(target, key) && isOwned(key)),
  }
}

type Writable = Record<string, string>

/** A pod that is left alone keeps what its user wrote, aliases and all. */
const keptAsTheyAre = ({ asked }: Evaluation): Annotations =>
  Object.fromEntries(Object.entries(asked.written).filter(([key]) => isOurKey(key) && !isWriterOnly(key)))

function admittedAnnotations({ asked, defaults, exemptContainers, rule, policy }: Evaluation): Annotations {
  // A misspelt key, or a scope alone, limits nothing.
  const hasLimits = rule !== undefined || Object.keys(asked.pod).length > 0 || asked.containers.size > 0
  const admitted: Writable = { ...asked.annotations, ...defaults.annotations }
  if (hasLimits) admitted[POLICY_KEY] = rule?.mark ?? `${policy}/-`
  if (defaults.list !== '') admitted[DEFAULTED_KEY] = defaults.list
  if (exemptContainers.length > 0) admitted[EXEMPT_CONTAINERS_KEY] = exemptContainers.join(',')
  return admitted
}

/** Where no policy is in force: what only admission writes goes back to what it was. Taking it away is nobody's harm. */
export function planStripping({ pod, old, isOwn = false }: Subject): Changes {
  const isAdvisor = isOwn && old !== undefined
  const forged = WRITER_ONLY_KEYS.filter(
    (key) =>
      pod.annotations[key] !== undefined &&
      pod.annotations[key] !== old?.annotations[key] &&
      !(isAdvisor && key === ADAPTED_KEY),
  )
  return {
    set: Object.fromEntries(
      forged.flatMap((key) => (old?.annotations[key] === undefined ? [] : [[key, old.annotations[key]]])),
    ),
    remove: forged.filter((key) => old?.annotations[key] === undefined),
  }
}

/** Keys that only admission writes, that this request wrote, and that the changes take back. */
export const findForged = ({ pod, old }: Subject, { set, remove }: Changes): readonly string[] =>
  WRITER_ONLY_KEYS.filter((key) => {
    const value = pod.annotations[key]
    return (
      value !== undefined &&
      value !== old?.annotations[key] &&
      (Object.hasOwn(set, key) || remove.includes(key))
    )
  })
