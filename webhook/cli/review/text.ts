/** The report for people: a line a workload, and below it what there is to know. */
import type { Fault } from '../manifest/objects.ts'
import { formatLimitTexts } from './effective.ts'
import type { Outcome, VerdictName } from './judge.ts'
import type { Paint } from './paint.ts'
import { countVerdicts, isFailing, type Policing, type Report, VERDICTS } from './report.ts'
import { findRemarks, nameDecider, nameOutcome, spotOfRemark } from './words.ts'

export interface TextOptions extends Policing {
  readonly quiet: boolean
  readonly verbose: boolean
  readonly paint: Paint
}

export function formatText(report: Report, options: TextOptions): string {
  const shown = report.outcomes.filter((outcome) => isShown(outcome, options))
  const parts = [
    ...shown.map((outcome) => formatOutcome(outcome, options)),
    ...(options.quiet ? [] : [formatSummary(report)]),
  ]
  return parts.join('')
}

const isShown = (outcome: Outcome, options: TextOptions): boolean =>
  options.quiet ? isFailing(outcome, options) : options.verbose || outcome.verdict !== 'not-opted-in'

const WIDEST = Math.max(...VERDICTS.map((verdict) => verdict.length))

const COLOURS: Readonly<Record<VerdictName, keyof Paint>> = {
  refused: 'red',
  'unknown-namespace': 'red',
  warned: 'yellow',
  defaulted: 'cyan',
  allowed: 'green',
  'not-opted-in': 'grey',
}

function formatOutcome(outcome: Outcome, { verbose, paint }: TextOptions): string {
  const remarks = findRemarks(outcome)
  const [first] = remarks
  const { file, mark } = spotOfRemark(outcome, first ?? { text: '' })
  const verdict = paint[COLOURS[outcome.verdict]](outcome.verdict.padEnd(WIDEST))
  const assumed = outcome.assumed ? ' (namespace assumed)' : ''
  const decider = nameDecider(outcome)
  const head = `${verdict} ${nameOutcome(outcome)}${assumed}${decider === '' ? '' : `, ${decider}`} ${paint.grey(`${file}:${mark.line}`)}\n`
  const lines = [
    ...remarks.map(({ rule, text }) => (rule === 'defaulted' ? text : `${rule}: ${text}`)),
    ...formatLimits(outcome),
    ...(verbose ? Object.entries(outcome.audit).map(([key, text]) => `audit ${key}: ${text}`) : []),
  ]
  return head + lines.map((line) => `  ${line}\n`).join('')
}

/** What the pod shares on one line, then each container that differs; without a shared limit each container's own. */
function formatLimits({ effective }: Outcome): readonly string[] {
  if (effective === undefined) return []
  const { scope, pod, containers } = effective
  const common = formatLimitTexts(pod)
  const lines = containers.map(({ name, exempt, limits }) => {
    const own = formatLimitTexts(limits)
    if (exempt) return `container ${name}: exempt, no limit`
    if (scope === 'pod') return `container ${name}: ${own === common ? 'shares them' : own}`
    return `container ${name}: ${own}`
  })
  return scope === 'pod' ? [`limits of the pod: ${common}`, ...lines] : lines
}

function formatSummary({ outcomes, others }: Report): string {
  const counts = countVerdicts(outcomes)
  const said = VERDICTS.filter((verdict) => counts[verdict] > 0).map(
    (verdict) => `${counts[verdict]} ${verdict}`,
  )
  const evaluated = outcomes.length - counts['not-opted-in'] - counts['unknown-namespace']
  const nothing = evaluated === 0 ? ' (nothing was evaluated)' : ''
  return `${outcomes.length} ${outcomes.length === 1 ? 'workload' : 'workloads'}${said.length > 0 ? `: ${said.join(', ')}` : ''}; ${others} other ${others === 1 ? 'object' : 'objects'}${nothing}\n`
}

/** `manifests/db.yaml:12:3: the key a stands twice in one map; keep one of them`. */
export const formatFault = ({ file, mark, message }: Fault): string => {
  const place = mark === undefined ? file : `${file}:${mark.line}:${mark.column}`
  return place === undefined ? message : `${place}: ${message}`
}
