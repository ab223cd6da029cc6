/** An outlook in words: the numbers first, then how many pods they are of, then the pods that need somebody. */
import { ENFORCE_LABEL, PREFIX } from '../../contract/keys.ts'
import type { Violation } from '../policy/violation.ts'
import type { Foreseen, LabelChange, Outlook } from './outlook.ts'

/** `enforce=silver: 12 pods: write-iops 2000 -> 500; 3 pods above the new max`, a line each. */
export function describeOutlook(
  changes: readonly LabelChange[],
  { effects, looked, total }: Outlook,
): readonly string[] {
  const told = changes.map((change) => ({
    change,
    foreseen: effects.filter(({ label }) => label === change.label),
  }))
  return [
    ...told.flatMap(({ change, foreseen }) => summarize(change, foreseen)),
    ...describeCoverage(looked, total),
    ...told.flatMap(({ change, foreseen }) => describeComplaints(change, foreseen)),
  ]
}

/** `enforce=silver`, `enforce removed`. */
export const nameChange = ({ label, after }: LabelChange): string => {
  const mode = label.slice(PREFIX.length)
  return after === undefined ? `${mode} removed` : `${mode}=${after}`
}

/** More kinds of change than these are counted, not told one by one. */
const MOST_GROUPS = 6

function summarize(change: LabelChange, foreseen: readonly Foreseen[]): readonly string[] {
  const isEnforced = change.label === ENFORCE_LABEL
  // Where only advice was given, taking it away changes no pod.
  if (!isEnforced && change.after === undefined) return []
  const groups = countBy(foreseen.flatMap(({ effect }) => (effect.change === '' ? [] : [effect.change])))
  const left = groups.slice(MOST_GROUPS).reduce((sum, [, count]) => sum + count, 0)
  const parts = [
    ...groups
      .slice(0, MOST_GROUPS)
      .map(([text, count]) => `${countPods(count)}${isEnforced ? ':' : ' would get'} ${text}`),
    ...(left > 0 ? [`${countPods(left)} in ${groups.length - MOST_GROUPS} other ways`] : []),
    ...KINDS.flatMap(({ kind, text }) => {
      const count = foreseen.filter(({ effect }) => effect.kinds.has(kind)).length
      return count === 0 ? [] : [`${countPods(count)} ${text}`]
    }),
  ]
  const said = parts.length > 0 ? parts : [`nothing changes for ${countPods(foreseen.length)}`]
  return fillLines(`${nameChange(change)}: `, said)
}

const KINDS: readonly { readonly kind: Violation['kind']; readonly text: string }[] = [
  { kind: 'above-max', text: 'above the new max' },
  { kind: 'below-min', text: 'below the new min' },
  { kind: 'scope', text: 'with a scope that the new policy refuses' },
  { kind: 'invalid', text: 'with values that cannot be read' },
]

/** With how often each stands there, the most frequent first. */
function countBy(texts: readonly string[]): readonly (readonly [string, number])[] {
  const groups = [...Map.groupBy(texts, (text) => text)].map(([text, alike]) => [text, alike.length] as const)
  return groups.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
}

const countPods = (count: number): string => (count === 1 ? '1 pod' : `${formatCount(count)} pods`)

/** `2,310`. */
const formatCount = (count: number): string => count.toLocaleString('en')

/** What a line of the API server's warnings holds, without whose it is. */
const LONGEST_LINE = 240

/** Parts side by side, in as few lines as hold them; each line begins with the same words. */
function fillLines(start: string, parts: readonly string[]): readonly string[] {
  const lines: string[] = []
  for (const part of parts) {
    const longer = `${lines.at(-1) ?? ''}; ${part}`
    if (lines.length > 0 && longer.length <= LONGEST_LINE) lines[lines.length - 1] = longer
    else lines.push(`${start}${part}`)
  }
  return lines
}

function describeCoverage(looked: number, total: number | undefined): readonly string[] {
  if (total === looked) return []
  const all = total === undefined ? '' : `of ${formatCount(total)} `
  return [`only the first ${formatCount(looked)} ${all}pods were looked at`]
}

/** Of those that need somebody, a few are named. */
const MOST_COMPLAINTS = 5

/** Pods of one owner complain of the same: they are told together. */
function describeComplaints(change: LabelChange, foreseen: readonly Foreseen[]): readonly string[] {
  const complaints = countBy(
    foreseen.flatMap(({ owner, effect }) =>
      effect.complaints.length === 0 ? [] : [JSON.stringify([owner, effect.complaints.join('; ')])],
    ),
  )
  const name = nameChange(change)
  const shown = complaints.slice(0, MOST_COMPLAINTS).map(([text, count]) => {
    const [owner, complaint] = JSON.parse(text) as readonly [string, string]
    return `${name}: ${owner}${owner.startsWith('pod ') ? '' : ` (${countPods(count)})`}: ${complaint}`
  })
  const left = complaints.slice(MOST_COMPLAINTS).reduce((sum, [, count]) => sum + count, 0)
  return left === 0 ? shown : [...shown, `${name}: and ${countPods(left)} more with such values`]
}
