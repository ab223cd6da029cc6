import type { Outcome } from './judge.ts'
import { isFailing, type Policing, type Report } from './report.ts'
import { formatFault } from './text.ts'
import { findRemarks, nameOutcome, spotOfRemark } from './words.ts'
import { formatJunit, type TestCase } from './xml.ts'

/** A test case a workload: it fails where it makes the exit code other than 0. */
export function formatJunitReport({ outcomes, faults }: Report, policing: Policing): string {
  return formatJunit('iops-limit review', [
    ...outcomes.map((outcome) => describeCase(outcome, policing)),
    ...faults.map((fault) => {
      const message = formatFault(fault)
      return {
        name: 'input',
        group: fault.file ?? 'input',
        result: { kind: 'error', message, text: message },
      } as const
    }),
  ])
}

function describeCase(outcome: Outcome, policing: Policing): TestCase {
  const remarks = findRemarks(outcome)
  const lines = remarks.map((remark) => {
    const { file, mark } = spotOfRemark(outcome, remark)
    return `${file}:${mark.line}:${mark.column}: ${remark.rule}: ${remark.text}`
  })
  const base = { name: nameOutcome(outcome), group: outcome.site.object.file.name }
  const text = lines.join('\n')
  const message = `${outcome.verdict}: ${remarks[0]?.text ?? ''}`
  if (isFailing(outcome, policing))
    return {
      ...base,
      result: { kind: outcome.verdict === 'unknown-namespace' ? 'error' : 'failure', message, text },
    }
  if (outcome.verdict === 'not-opted-in')
    return {
      ...base,
      result: { kind: 'skipped', message: `namespace ${outcome.namespace} has not opted in`, text: '' },
    }
  return { ...base, ...(text !== '' && { out: text }) }
}
