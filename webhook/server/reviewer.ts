/** The whole of a review behind one door: JSON in, AdmissionReview out. */
import type { Problem } from '../../contract/problem.ts'
import { type Answer, answerFailure, answerReview } from '../admission/answer.ts'
import { parseReview } from '../admission/review.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'

export type Reviewed =
  | ({ readonly status: 200 } & Answer)
  | { readonly status: 400; readonly problems: readonly Problem[] }

export interface Reviewer {
  /** Past the deadline nobody waits for the answer any more. */
  answer(body: unknown, deadline: AbortSignal): Promise<Reviewed>
}

export interface ReviewerDeps {
  /** As it is in force at this moment. */
  readonly readRulebook: () => Rulebook
  /** Undefined where nobody knows the namespace. */
  readonly findNamespace: (
    name: string,
    deadline: AbortSignal,
  ) => NamespaceInfo | undefined | Promise<NamespaceInfo | undefined>
  /** Told of every mistake of ours: the pod has been let through. */
  readonly onBroken: (error: unknown, uid: string) => void
}

/** A mistake of ours lets the pod through, whatever the failurePolicy says; the back-fill finds it later. */
export function createReviewer({ readRulebook, findNamespace, onBroken }: ReviewerDeps): Reviewer {
  return {
    async answer(body, deadline) {
      const parsed = parseReview(body)
      if (!parsed.ok) return { status: 400, problems: parsed.problems }
      const review = parsed.value
      try {
        const namespace = await findNamespace(review.namespace, deadline)
        return { status: 200, ...answerReview(review, { ...readRulebook(), namespace }) }
      } catch (error) {
        onBroken(error, review.uid)
        return { status: 200, ...answerFailure(review, 'an internal error') }
      }
    },
  }
}
