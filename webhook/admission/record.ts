/** What goes back to the API server, and what the log and the metrics are told of it. */
import type { Allowed } from '../policy/decide.ts'
import type { AdmissionReviewResponse } from './response.ts'
import type { ReviewOf } from './review.ts'
import { cut } from './sentence.ts'

export interface Answer {
  readonly body: AdmissionReviewResponse
  readonly record: DecisionRecord
}

/** One decision for the log line and the metrics. */
export interface DecisionRecord {
  readonly uid: string
  readonly operation: string
  readonly resource: string
  readonly namespace: string
  /** `web-*` where the API server has yet to make the name. */
  readonly name: string
  readonly dryRun: boolean
  /**
   * `defaulted`: keys were filled in. `changed`: others were rewritten or dropped. `warned`: the user was told something.
   * `missed`: limits that should stand on the pod do not yet. `failed`: something of ours broke, and the object was let
   * through.
   */
  readonly outcome:
    | 'untouched'
    | 'allowed'
    | 'defaulted'
    | 'changed'
    | 'warned'
    | 'missed'
    | 'refused'
    | 'failed'
  readonly policy?: string
  readonly rule?: string
  /** Names of the keys filled in. */
  readonly defaulted: readonly string[]
  /** What the object was refused for, a sentence each. */
  readonly violations: readonly string[]
  readonly warnings: number
  /** Why nothing was decided, or what failed. */
  readonly reason?: string
}

type Asked = Omit<ReviewOf<unknown>, 'content'>

export function recordOf(
  review: Asked,
  { policy, rule }: Pick<Allowed, 'policy' | 'rule'> = {},
): Omit<DecisionRecord, 'outcome' | 'warnings' | 'reason'> {
  const { uid, operation, resource, namespace, dryRun } = review
  const decider = { ...(policy !== undefined && { policy }), ...(rule !== undefined && { rule }) }
  return {
    uid,
    operation,
    resource,
    namespace,
    name: nameOf(review),
    dryRun,
    ...decider,
    defaulted: [],
    violations: [],
  }
}

/** Admission comes before the API server's validation: a name may have any length. */
export const nameOf = ({ name, generateName }: Pick<Asked, 'name' | 'generateName'>): string =>
  cut(name === '' && generateName !== '' ? `${generateName}*` : name, LONGEST_NAME)

const LONGEST_NAME = 253
