/** The report for programs: docs/review.md describes it. */
import { formatPath } from '../manifest/path.ts'
import type { Outcome } from './judge.ts'
import { countVerdicts, type Report } from './report.ts'
import { findRemarks, spotOfRemark } from './words.ts'

/** Changes when a field goes or means something else; a new field changes nothing. */
export const SCHEMA = 'iops-limit/review/v1'

export function formatJson(report: Report): string {
  const counts = countVerdicts(report.outcomes)
  const document = {
    schema: SCHEMA,
    exitCode: report.exitCode,
    summary: {
      workloads: report.outcomes.length,
      refused: counts.refused,
      warned: counts.warned,
      defaulted: counts.defaulted,
      allowed: counts.allowed,
      notOptedIn: counts['not-opted-in'],
      unknownNamespace: counts['unknown-namespace'],
      otherObjects: report.others,
    },
    results: report.outcomes.map(describeOutcome),
    problems: report.faults.map(({ file, mark, message }) => ({ file, ...mark, message })),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function describeOutcome(outcome: Outcome) {
  const { site, kind, apiVersion, name, namespace, assumed, verdict, policy, rule, reason } = outcome
  const remarks = findRemarks(outcome)
  const { file, mark } = spotOfRemark(outcome, remarks[0] ?? { text: '' })
  const at = (text: string) => ({ message: text, ...spotOfRemark(outcome, { text }).mark })
  return {
    ...{ file, ...mark, apiVersion, kind, namespace, namespaceAssumed: assumed, name },
    podPath: formatPath(site.path),
    ...{ verdict, policy, rule, reason, defaulted: outcome.defaulted },
    violations: outcome.violations.map(at),
    warnings: outcome.warnings.map(at),
    ...{ auditAnnotations: outcome.audit, patch: outcome.patch, effective: outcome.effective },
    disagreements: outcome.disagreements,
  }
}
