/** Every sentence that a user may be shown beside a refusal. One line each; the door outside makes them ASCII and short. */

import type { Rewrite } from '../../contract/aliases.ts'
import {
  CONTAINER_PREFIX,
  LIMIT_NAMES,
  limitKey,
  PREFIX,
  SCOPE_KEY,
  WRITER_ONLY_KEYS,
} from '../../contract/keys.ts'
import { quoteValue } from '../../contract/problem.ts'
import type { Evaluation } from './evaluate.ts'
import type { Subject } from './subject.ts'
import { describeViolations } from './violation.ts'

interface Decider {
  readonly policy: string
  readonly rule?: { readonly name: string } | undefined
}

/** `policy gold, rule databases`. */
export const nameDecider = ({ policy, rule }: Decider): string =>
  rule === undefined ? `policy ${policy}` : `policy ${policy}, rule ${rule.name}`

export const warnUnknownPolicy = (label: string, name: string, known: readonly string[]): string =>
  `namespace label ${label}=${name}: there is no policy of that name; known: ${known.length > 0 ? known.join(', ') : 'none'}`

export const warnExemptNamespace = (namespace: string, policy: string): string =>
  `namespace ${namespace} is exempt: policy ${policy}, which its labels name, has no effect`

export const warnForged = (key: string): string =>
  `${key} is written by admission only: the given value was dropped`

/** What an update left as bad as it was; where it brought anything in, it is refused, and this not told. */
export const warnKept = (evaluation: Evaluation): readonly string[] =>
  describeViolations(evaluation.violations).map(
    (sentence) => `${nameDecider(evaluation)}: ${sentence} (allowed: this update did not make it worse)`,
  )

/** What a policy that is not enforced would do. */
export function warnWouldBe(evaluation: Evaluation): readonly string[] {
  const refusals = describeViolations(evaluation.violations).map(
    (sentence) => `${nameDecider(evaluation)} would refuse: ${sentence}`,
  )
  const { text } = evaluation.defaults
  return text === '' ? refusals : [...refusals, `${nameDecider(evaluation)} would set ${text}`]
}

/** Limits on a pod that a rule leaves alone. */
export const warnExemptRule = (evaluation: Evaluation): readonly string[] =>
  Object.keys(evaluation.asked.annotations).length === 0
    ? []
    : [`${nameDecider(evaluation)} exempts this pod: its limits are not enforced`]

/** Overrides of containers that the pod does not have, a scope that cannot hold, and exemptions that were not looked for. */
export function warnIneffective(
  { asked, exemptContainers, skippedContainers }: Evaluation,
  { pod }: Subject,
): readonly string[] {
  if (asked.containers.size === 0 && exemptContainers.length === 0 && skippedContainers === 0) return []
  const overridden = [...asked.containers.keys()]
  const names = new Set(pod.containers.map(({ name }) => name))
  const strangers = overridden.filter((name) => !names.has(name))
  const exempt = new Set(exemptContainers)
  const exempted = overridden.filter((name) => exempt.has(name))
  return [
    ...strangers.map(
      (name) => `${CONTAINER_PREFIX}${name} limits nothing: the pod has no container ${quoteValue(name)}`,
    ),
    ...exempted.map((name) => `${CONTAINER_PREFIX}${name} limits nothing: the container is exempt`),
    ...(asked.scope === 'pod' && exemptContainers.length > 0
      ? [
          `${SCOPE_KEY} "pod" cannot hold: exempt containers (${exemptContainers.join(', ')}) make it container`,
        ]
      : []),
    ...(skippedContainers > 0
      ? [
          `${skippedContainers} containers were not compared with the rule's exemptContainers and are limited: write fewer containers or shorter images`,
        ]
      : []),
  ]
}

/** Keys of our prefix that mean nothing: most are misspelt. */
export function warnUnknownKeys({ annotations }: Evaluation['asked']): readonly string[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(PREFIX) && !KNOWN_KEYS.has(key))
    .map(
      (key) =>
        `${key} is not a key of iops-limit and limits nothing; known: ${LIMIT_NAMES.map(limitKey).join(', ')}, ${SCOPE_KEY}`,
    )
}

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...LIMIT_NAMES.map(limitKey),
  SCOPE_KEY,
  ...WRITER_ONLY_KEYS,
])

/** Keys of the older service, each with what became of it. */
export const warnAliases = ({ rewrites }: Evaluation['asked']): readonly string[] =>
  rewrites.map((rewrite) => describeRewrite(rewrite, ['rewritten to', 'is dropped']))

/** The same, where the policy that would do it is not enforced. */
export const warnWouldRewrite = ({ rewrites }: Evaluation['asked']): readonly string[] =>
  rewrites.map((rewrite) => describeRewrite(rewrite, ['it would be rewritten to', 'would be dropped']))

const describeRewrite = (
  { alias, key, value, beatenBy }: Rewrite,
  [rewritten, dropped]: readonly [string, string],
): string =>
  beatenBy === undefined
    ? `${alias} is a key of the older service: ${rewritten} ${key}`
    : `${alias} ${quoteValue(value)} ${dropped}: ${beatenBy.key} says ${quoteValue(beatenBy.value)}`
