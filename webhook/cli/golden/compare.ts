/** What was expected of a case, beside what came. */
import { isDeepStrictEqual } from 'node:util'
import { formatPatch, structuredPatch } from 'diff'
import { dump } from 'js-yaml'
import type { Outcome } from '../review/judge.ts'
import type { Expectation } from './case.ts'

export interface Comparison {
  /** `Deployment rec/web`. */
  readonly name: string
  /** A unified diff from expected to found; empty where they agree. */
  readonly diff: string
}

/** Every workload has to be expected, and every expectation to be met. */
export function compareOutcomes(
  expected: readonly Expectation[],
  outcomes: readonly Outcome[],
): readonly Comparison[] {
  const left = [...expected]
  const found = outcomes.map((outcome) => {
    const at = left.findIndex((expectation) => isAbout(expectation, outcome))
    const [expectation] = at < 0 ? [] : left.splice(at, 1)
    const actual = describeOutcome(outcome, expectation)
    return { name: nameOf(actual), diff: formatDifference(expectation, actual) }
  })
  return [
    ...found,
    ...left.map((expectation) => ({
      name: nameOf(expectation),
      diff: formatDifference(expectation, undefined),
    })),
  ]
}

/** The expectations as they should be; fields that somebody left out stay out. */
export function updateExpectations(
  expected: readonly Expectation[],
  outcomes: readonly Outcome[],
): readonly Expectation[] {
  const left = [...expected]
  return outcomes.map((outcome) => {
    const at = left.findIndex((expectation) => isAbout(expectation, outcome))
    const [expectation] = at < 0 ? [] : left.splice(at, 1)
    return describeOutcome(outcome, expectation)
  })
}

const IDENTITY = ['kind', 'namespace', 'name'] as const

const isAbout = (expectation: Expectation, outcome: Outcome): boolean =>
  IDENTITY.every((key) => expectation[key] === undefined || expectation[key] === outcome[key])

/** Of an expectation that says no more, `any kind`. */
function nameOf(of: Expectation): string {
  const [kind = 'any kind', namespace, name = '*'] = IDENTITY.map((key) => of[key]).map((value) =>
    typeof value === 'string' ? value : undefined,
  )
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** The fields that the expectation speaks of; all that are not empty where there is none. */
function describeOutcome(outcome: Outcome, expectation: Expectation | undefined): Expectation {
  const { kind, namespace, name, verdict, policy, rule, reason, defaulted, violations, warnings, effective } =
    outcome
  const limits = Object.fromEntries(
    (effective?.containers ?? []).map((container) => [
      container.name,
      container.exempt ? 'exempt' : container.limits,
    ]),
  )
  const whole = {
    kind,
    namespace,
    name,
    verdict,
    policy,
    rule,
    reason,
    defaulted,
    violations,
    warnings,
    limits,
  }
  return Object.fromEntries(
    Object.entries(whole).filter(([key, value]) =>
      expectation === undefined
        ? !isEmpty(value)
        : Object.hasOwn(expectation, key) || IDENTITY.some((own) => own === key),
    ),
  )
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

function formatDifference(expectation: Expectation | undefined, actual: Expectation | undefined): string {
  const named = expectation && actual ? { ...pickIdentity(actual), ...expectation } : expectation
  if (isDeepStrictEqual(named, actual)) return ''
  const keys = Object.keys(actual ?? {})
  const [before, after] = [printSorted(named, keys), printSorted(actual, keys)]
  return formatPatch(structuredPatch('expected', 'found', before, after, '', '', { context: 10 })).replace(
    /^=+\n/,
    '',
  )
}

const pickIdentity = (of: Expectation): Expectation =>
  Object.fromEntries(IDENTITY.map((key) => [key, of[key]]))

/** In the order of the other side, so that only what differs shows. */
function printSorted(value: Expectation | undefined, keys: readonly string[]): string {
  if (value === undefined) return ''
  const order = [
    ...keys.filter((key) => Object.hasOwn(value, key)),
    ...Object.keys(value).filter((key) => !keys.includes(key)),
  ]
  return printYaml(Object.fromEntries(order.map((key) => [key, value[key]])))
}

export const printYaml = (value: unknown): string =>
  dump(value, { lineWidth: -1, noRefs: true, seqNoIndent: true, skipInvalid: true })
