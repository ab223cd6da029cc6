/** The condition `Accepted` of a policy's status. Source: k8s.io/apimachinery/pkg/apis/meta/v1/types.go (Condition). */
import { formatProblem, type Problem } from '../../contract/problem.ts'
import { childOf, readList, readMap, rootField } from '../../contract/reader.ts'

export interface Condition {
  readonly type: 'Accepted'
  readonly status: 'True' | 'False'
  readonly reason: 'Valid' | 'Invalid'
  readonly message: string
  /** Of the spec that was judged. */
  readonly observedGeneration: number
  /** When `status` became what it is, RFC 3339 in whole seconds. */
  readonly lastTransitionTime: string
}

/** What there is of it on an object, whoever wrote it. */
export type FoundCondition = Readonly<Record<string, unknown>>

export function readCondition(policy: unknown): FoundCondition | undefined {
  const root = rootField(policy, '')
  const status = childOf(root, readMap(root) ?? {}, 'status')
  const conditions = childOf(status, readMap(status) ?? {}, 'conditions')
  return readList(conditions)
    ?.map((field) => readMap(field) ?? {})
    .find(({ type }) => type === 'Accepted')
}

/** A pure function of policy and time: every replica says the same. */
export function formatCondition(
  problems: readonly Problem[],
  generation: number,
  { found, now }: { readonly found: FoundCondition | undefined; readonly now: Date },
): Condition {
  const status = problems.length === 0 ? 'True' : 'False'
  const since = found?.['lastTransitionTime']
  const isOld = found?.['status'] === status && typeof since === 'string'
  return {
    type: 'Accepted',
    status,
    reason: problems.length === 0 ? 'Valid' : 'Invalid',
    message: formatMessage(problems),
    observedGeneration: generation,
    lastTransitionTime: isOld ? since : `${now.toISOString().slice(0, 19)}Z`,
  }
}

const MOST_SHOWN = 20
/** The API bounds a message at 32,768. */
const LONGEST_MESSAGE = 8192

function formatMessage(problems: readonly Problem[]): string {
  if (problems.length === 0) return 'the policy is in force'
  const more = problems.length - MOST_SHOWN
  const shown = problems.slice(0, MOST_SHOWN).map(formatProblem)
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('. ').slice(0, LONGEST_MESSAGE)
}

export const isSaid = (wanted: Condition, found: FoundCondition | undefined): boolean =>
  found !== undefined && Object.entries(wanted).every(([key, value]) => found[key] === value)
