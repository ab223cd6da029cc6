/** SARIF 2.1.0, as code scanning reads it: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import { isAbsolute, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Fault } from '../manifest/objects.ts'
import type { Mark } from '../manifest/position.ts'
import type { Outcome } from './judge.ts'
import type { Report } from './report.ts'
import { findRemarks, nameDecider, nameOutcome, type Remark, spotOfRemark } from './words.ts'

const RULES: Readonly<Record<Remark['rule'], string>> = {
  refused: 'Admission refuses the pod.',
  'unknown-namespace': 'The namespace is not known, so nothing can be told of its pods.',
  'server-disagrees': 'A live webhook answers otherwise.',
  warned: 'Admission lets the pod through with a warning.',
  defaulted: 'Admission fills in limits.',
}

export function formatSarif({ outcomes, faults, exitCode }: Report): string {
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'iops-limit',
            rules: Object.entries(RULES).map(([id, text]) => ({ id, shortDescription: { text } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: outcomes.flatMap((outcome) =>
          findRemarks(outcome).map((remark) => describeRemark(outcome, remark)),
        ),
        invocations: [
          {
            executionSuccessful: exitCode !== 2,
            exitCode,
            toolExecutionNotifications: faults.map(describeFault),
          },
        ],
      },
    ],
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function describeRemark(outcome: Outcome, remark: Remark) {
  const { file, mark } = spotOfRemark(outcome, remark)
  const decider = nameDecider(outcome)
  return {
    ruleId: remark.rule,
    level: remark.level,
    message: { text: `${nameOutcome(outcome)}${decider === '' ? '' : `, ${decider}`}: ${remark.text}` },
    locations: [
      { ...locationOf(file, mark), logicalLocations: [{ fullyQualifiedName: nameOutcome(outcome) }] },
    ],
  }
}

const describeFault = ({ file, mark, message }: Fault) => ({
  level: 'error',
  message: { text: message },
  ...(file !== undefined && { locations: [locationOf(file, mark)] }),
})

const locationOf = (file: string, mark: Mark | undefined) => ({
  physicalLocation: {
    artifactLocation: { uri: uriOf(file) },
    ...(mark && { region: { startLine: mark.line, startColumn: mark.column } }),
  },
})

/** Relative to where the command ran, as code scanning wants it. */
const uriOf = (file: string): string =>
  isAbsolute(file)
    ? pathToFileURL(file).href
    : file
        .split(sep)
        .map((part) => encodeURIComponent(part))
        .join('/')
        .replace(/^\.\//, '')
