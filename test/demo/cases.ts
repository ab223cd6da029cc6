/** The recorded reviews that the demo sends, some with other annotations or in another namespace, and what has to come back. */
import type { AdmissionReviewResponse } from '../../webhook/admission/response.ts'
import { type RecordedReview, recordedReview } from '../support/reviews.ts'
import { check } from './say.ts'

export interface DemoCase {
  readonly name: string
  readonly asks: string
  /** What the table calls the answer. */
  readonly kind: string
  readonly review: () => RecordedReview
  readonly verify: (answer: Answer) => void
}

export interface Answer {
  readonly response: AdmissionReviewResponse['response']
  /** Of the object once the patch is carried out. */
  readonly annotations: Readonly<Record<string, string>>
}

function recorded(prefix: string, annotations?: Record<string, string>, namespace = 'rec'): RecordedReview {
  const review = recordedReview(prefix)
  review.request.namespace = namespace
  if (annotations !== undefined && review.request.object !== null)
    review.request.object.metadata.annotations = annotations
  return review
}

const has = ({ annotations }: Answer, expected: Readonly<Record<string, string>>, claim: string): void =>
  check(
    Object.entries(expected).every(([key, value]) => annotations[`iops-limit/${key}`] === value),
    claim,
  )

export const DEMO_CASES: readonly DemoCase[] = [
  {
    name: 'web',
    asks: 'nothing',
    kind: 'defaulted',
    review: () => recorded('04'),
    verify: (answer) =>
      has(
        answer,
        { 'read-iops': '500', 'write-iops': '500', policy: 'gold/everything-else' },
        'a pod without annotations did not get the defaults',
      ),
  },
  {
    name: 'one',
    asks: 'limit=1200',
    kind: 'allowed, bps defaulted',
    review: () => recorded('05'),
    verify: (answer) =>
      has(
        answer,
        { limit: '1200', 'read-bps': '200Mi', policy: 'gold/databases' },
        'the limit that a pod asked for was not kept',
      ),
  },
  {
    name: 'greedy',
    asks: 'read-iops=9000',
    kind: 'refused',
    review: () => recorded('05', { 'iops-limit/read-iops': '9000' }),
    verify: ({ response }) =>
      check(
        !response.allowed && response.status?.message.includes('above the max of 5000') === true,
        'a pod above the max was not refused',
      ),
  },
  {
    name: 'heritage',
    asks: 'kubediskguard.io/iops=300',
    kind: 'alias rewritten',
    review: () => recorded('04', { 'kubediskguard.io/iops': '300' }),
    verify: (answer) => {
      has(answer, { limit: '300' }, "the older service's key was not rewritten")
      check(!Object.hasOwn(answer.annotations, 'kubediskguard.io/iops'), "the older service's key was left")
    },
  },
  {
    name: 'warned',
    asks: 'limit=9000',
    kind: 'allowed, warned',
    review: () => recorded('05', { 'iops-limit/limit': '9000' }, 'team-warned'),
    verify: ({ response, annotations }) => {
      check(
        response.allowed && response.warnings?.some((warning) => warning.includes('would refuse')) === true,
        'a namespace with the warn label was not warned',
      )
      check(!Object.hasOwn(annotations, 'iops-limit/policy'), 'a pod was marked where no policy is enforced')
    },
  },
  {
    name: 'dry',
    asks: 'nothing, dry run',
    kind: 'defaulted, not stored',
    review: () => recorded('08'),
    verify: (answer) =>
      has(
        answer,
        { 'read-iops': '500', policy: 'gold/everything-else' },
        'a dry run was not answered like the real thing',
      ),
  },
]
