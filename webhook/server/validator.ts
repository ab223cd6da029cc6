/** The whole of a validating review behind one door: JSON in, AdmissionReview out. */
import type { ValidationWorld } from '../admission/judgement.ts'
import { answerValidation, answerValidationFailure } from '../admission/validate.ts'
import { findStrangers, planOutlook } from '../admission/validateNamespace.ts'
import { parseValidation, type Validation } from '../admission/validation.ts'
import { Unavailable } from '../cluster/unavailable.ts'
import type { ValidationCluster } from '../cluster/validation.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import type { Reviewer, ReviewerDeps } from './reviewer.ts'

export interface ValidatorDeps extends ReviewerDeps {
  /** All that are known at this moment. */
  readonly readNamespaces: () => Iterable<NamespaceInfo>
  /** Each where there is a cluster that gives it. */
  readonly cluster?: Partial<ValidationCluster>
}

/** A mistake of ours lets the object through, whatever the failurePolicy says. */
export function createValidator(deps: ValidatorDeps): Reviewer {
  return {
    async answer(body, milliseconds) {
      const parsed = parseValidation(body)
      if (!parsed.ok) return { status: 400, problems: parsed.problems }
      const review = parsed.value
      try {
        const world = await gatherWorld(review, deps, milliseconds)
        return { status: 200, ...answerValidation(review, world) }
      } catch (error) {
        if (error instanceof Unavailable)
          return { status: 200, ...answerValidationFailure(review, error.message) }
        deps.onBroken(error, review.uid)
        return { status: 200, ...answerValidationFailure(review, 'an internal error') }
      }
    },
  }
}

async function gatherWorld(
  review: Validation,
  { readRulebook, findNamespace, readNamespaces, cluster }: ValidatorDeps,
  milliseconds: number,
): Promise<ValidationWorld> {
  const { kind } = review.content
  const isInNamespace = kind === 'pod' || kind === 'workload'
  // No name is never found, but waits likewise until what is known here can be gone by.
  const namespace = await findNamespace(isInNamespace ? review.namespace : '')
  const rulebook = await learnStrangers(review, readRulebook(), cluster)
  const plan = planOutlook(review, rulebook)
  // As Pod Security Admission: a second, and never more than half of what the caller waits.
  const outlook =
    plan && (await cluster?.readOutlook?.(plan, rulebook, Math.min(LONGEST_LOOK, milliseconds / 2)))
  return { ...rulebook, namespace, namespaces: readNamespaces(), ...(outlook && { outlook }) }
}

/** Milliseconds. */
const LONGEST_LOOK = 1000
const LONGEST_POLICY = 500

/** A policy that was applied together with the namespace that names it may not have come to the cache yet. */
async function learnStrangers(
  review: Validation,
  rulebook: Rulebook,
  cluster: Partial<ValidationCluster> = {},
): Promise<Rulebook> {
  const names = findStrangers(review, rulebook)
  const read = cluster.readPolicy
  if (read === undefined) return rulebook
  const found = await Promise.all(names.map((name) => read(name, LONGEST_POLICY)))
  const learnt = found.flatMap((policy) => (policy === undefined ? [] : [[policy.name, policy] as const]))
  return { ...rulebook, policies: new Map([...rulebook.policies, ...learnt]) }
}
