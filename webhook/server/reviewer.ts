/** The whole of a review behind one door: JSON in, AdmissionReview out. */
import type { Problem } from '../../contract/problem.ts'
import { answerFailure, answerReview } from '../admission/answer.ts'
import type { Answer } from '../admission/record.ts'
import { parseReview } from '../admission/review.ts'
import { Unavailable } from '../cluster/unavailable.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'

export type Reviewed =
  | ({ readonly status: 200 } & Answer)
  | { readonly status: 400; readonly problems: readonly Problem[] }

export interface Reviewer {
  /** Past the deadline, which was so many milliseconds away, nobody waits for the answer any more. */
  answer(body: unknown, deadline: AbortSignal, milliseconds: number): Promise<Reviewed>
}

export interface ReviewerDeps {
  /** As it is in force at this moment. */
  readonly readRulebook: () => Rulebook
  /** Undefined where nobody knows the namespace. Rejects with {@link Unavailable} where that cannot be told. */
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
        // Nothing else is decided by its namespace.
        const isPod = review.content.kind === 'pod'
        const namespace = isPod ? await findNamespace(review.namespace, deadline) : undefined
        return { status: 200, ...answerReview(review, { ...readRulebook(), namespace }) }
      } catch (error) {
        if (error instanceof Unavailable) return { status: 200, ...answerFailure(review, error.message) }
        onBroken(error, review.uid)
        return { status: 200, ...answerFailure(review, 'an internal error') }
      }
    },
  }
}
