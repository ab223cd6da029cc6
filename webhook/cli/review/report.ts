/** All that a run found, before anybody writes it down. */
import type { Fault } from '../manifest/objects.ts'
import type { Outcome, VerdictName } from './judge.ts'
import type { Settings } from './options.ts'

export interface Report {
  /** In the order of the input. */
  readonly outcomes: readonly Outcome[]
  readonly faults: readonly Fault[]
  /** Objects that make no pods. */
  readonly others: number
  readonly exitCode: ExitCode
}

/** 0 allowed, 1 refused, 2 could not run, 3 nothing was evaluated. */
export type ExitCode = 0 | 1 | 2 | 3

export type Policing = Pick<Settings, 'failOn' | 'allowEmpty'>

/** What could not be judged comes before what was: a run that saw only half has found nothing. */
export function findExitCode(
  { outcomes, faults }: Pick<Report, 'outcomes' | 'faults'>,
  policing: Policing,
): ExitCode {
  if (faults.length > 0 || outcomes.some(({ verdict }) => verdict === 'unknown-namespace')) return 2
  if (outcomes.some((outcome) => isFailing(outcome, policing))) return 1
  const isEmpty = outcomes.every(({ verdict }) => verdict === 'not-opted-in')
  return isEmpty && !policing.allowEmpty ? 3 : 0
}

/** It makes the exit code other than 0. */
export const isFailing = (
  { verdict, warnings, defaulted, disagreements = [] }: Outcome,
  { failOn }: Pick<Policing, 'failOn'>,
): boolean =>
  verdict === 'refused' ||
  verdict === 'unknown-namespace' ||
  disagreements.length > 0 ||
  (failOn.includes('warn') && warnings.length > 0) ||
  (failOn.includes('default') && defaulted.length > 0)

export const VERDICTS: readonly VerdictName[] = [
  'refused',
  'unknown-namespace',
  'warned',
  'defaulted',
  'allowed',
  'not-opted-in',
]

export const countVerdicts = (outcomes: readonly Outcome[]): Readonly<Record<VerdictName, number>> => {
  const counts = {
    refused: 0,
    'unknown-namespace': 0,
    warned: 0,
    defaulted: 0,
    allowed: 0,
    'not-opted-in': 0,
  }
  for (const { verdict } of outcomes) counts[verdict] += 1
  return counts
}
