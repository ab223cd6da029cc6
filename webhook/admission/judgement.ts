/** What there is to judge by, and what comes of it. */
import type { NamespaceInfo } from '../policy/policy.ts'
import type { World } from './answer.ts'
import type { Outlook } from './outlook.ts'
import type { DecisionRecord } from './record.ts'

export interface ValidationWorld extends World {
  /** All that are known. */
  readonly namespaces: Iterable<NamespaceInfo>
  /** What a change of labels would do to the pods there are; absent where nobody could look at them. */
  readonly outlook?: Outlook
}

/** What comes of one object. */
export interface Judgement {
  readonly outcome: DecisionRecord['outcome']
  /** Only where the outcome is `refused`. */
  readonly refusal?: string
  readonly warnings?: readonly string[]
  readonly auditAnnotations?: Readonly<Record<string, string>>
  /** For the log. */
  readonly policy?: string
  readonly rule?: string
  readonly violations?: readonly string[]
  readonly reason?: string
}
