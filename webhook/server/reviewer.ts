/** The whole of a review behind one door: JSON in, AdmissionReview out. */
import type { Problem } from '../../contract/problem.ts'
import { answerFailure, answerReview } from '../admission/answer.ts'
import type { Answer } from '../admission/record.ts'
import { parseReview, type Review } from '../admission/review.ts'
import { Unavailable } from '../cluster/unavailable.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import type { Later } from './later.ts'

export type Reviewed =
  | ({ readonly status: 200 } & Answer)
  | { readonly status: 400; readonly problems: readonly Problem[] }

export interface Reviewer {
  /** After so many milliseconds nobody waits for the answer any more. */
  answer(body: unknown, milliseconds: number): Later<Reviewed>
}

export interface ReviewerDeps {
  /** As it is in force at this moment. */
  readonly readRulebook: () => Rulebook
  /** Undefined where nobody knows the namespace. Rejects with {@link Unavailable} where that cannot be told. */
  readonly findNamespace: (name: string) => Later<NamespaceInfo | undefined>
  /** Told of every mistake of ours: the pod has been let through. */
  readonly onBroken: (error: unknown, uid: string) => void
}

/** A mistake of ours lets the pod through, whatever the failurePolicy says; the back-fill finds it later. */
export function createReviewer({ readRulebook, findNamespace, onBroken }: ReviewerDeps): Reviewer {
  const fail = (review: Review, error: unknown): Reviewed => {
    if (error instanceof Unavailable) return { status: 200, ...answerFailure(review, error.message) }
    onBroken(error, review.uid)
    return { status: 200, ...answerFailure(review, 'an internal error') }
  }
  const conclude = (review: Review, namespace: NamespaceInfo | undefined): Reviewed => {
    try {
      return { status: 200, ...answerReview(review, { ...readRulebook(), namespace }) }
    } catch (error) {
      return fail(review, error)
    }
  }
  const find = (review: Review): ReturnType<ReviewerDeps['findNamespace']> =>
    // Nothing else is decided by its namespace.
    review.content.kind === 'pod' ? findNamespace(review.namespace) : undefined
  return {
    answer(body) {
      const parsed = parseReview(body)
      if (!parsed.ok) return { status: 400, problems: parsed.problems }
      const review = parsed.value
      try {
        const namespace = find(review)
        if (!(namespace instanceof Promise)) return conclude(review, namespace)
        return namespace.then(
          (found) => conclude(review, found),
          (error: unknown) => fail(review, error),
        )
      } catch (error) {
        return fail(review, error)
      }
    },
  }
}
