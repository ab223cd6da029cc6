/** The answer of the validating webhook: nothing is changed, only refused, told or let through. */
import type { Judgement, ValidationWorld } from './judgement.ts'
import { type Answer, recordOf } from './record.ts'
import { formatResponse } from './response.ts'
import { judgeNamespace } from './validateNamespace.ts'
import { judgeBinding, judgePod } from './validatePod.ts'
import { judgePolicy } from './validatePolicy.ts'
import { judgeWorkload } from './validateWorkload.ts'
import type { Validation } from './validation.ts'

/** A pure function of the review and the world: asked again, it answers the same, dry run or not. */
export function answerValidation(review: Validation, world: ValidationWorld): Answer {
  const judgement = judge(review, world)
  const { outcome, refusal, warnings = [], auditAnnotations = {}, violations = [], reason } = judgement
  return {
    body: formatResponse(review.uid, {
      allowed: refusal === undefined,
      ...(refusal !== undefined && { message: refusal }),
      warnings,
      auditAnnotations,
    }),
    record: {
      ...recordOf(review, judgement),
      outcome,
      violations,
      warnings: warnings.length,
      ...(reason !== undefined && { reason }),
    },
  }
}

function judge(review: Validation, world: ValidationWorld): Judgement {
  const { content } = review
  switch (content.kind) {
    case 'pod':
      return judgePod(review, content, world)
    case 'binding':
      return judgeBinding(review, content.annotations)
    case 'workload':
      return judgeWorkload(content, world)
    case 'namespace':
      return judgeNamespace(review, content, world)
    case 'policy':
      return judgePolicy(review, content, world)
    case 'other':
      return { outcome: 'untouched', reason: 'not-judged' }
  }
}

/** Something of ours broke: the object goes on. */
export function answerValidationFailure(review: Validation, cause: string): Answer {
  const warnings = [`${cause}: the object was let through without a check`]
  return {
    body: formatResponse(review.uid, { allowed: true, warnings }),
    record: { ...recordOf(review), outcome: 'failed', warnings: 1, reason: cause },
  }
}
