/** Policies: refused for what the loader refuses a file for, and told where they are in use when they change. */
import { PREFIX } from '../../contract/keys.ts'
import { formatProblem } from '../../contract/problem.ts'
import { childOf, readMap, rootField } from '../../contract/reader.ts'
import { readPolicy } from '../policy/parse.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import { MODE_LABELS } from '../policy/preview.ts'
import type { Judgement, ValidationWorld } from './judgement.ts'
import { nameOf } from './record.ts'
import type { PolicyContent, Validation } from './validation.ts'

export function judgePolicy(
  review: Validation,
  { object, old }: PolicyContent,
  { namespaces }: ValidationWorld,
): Judgement {
  const name = nameOf(review)
  const users = describeUsers(name, namespaces)
  if (object === undefined) return warn(users, `policy ${name} goes while it is in use: ${users}; ${DELETED}`)
  // One that was taken before today's checks can still be labelled, and lose its finalizers.
  if (old !== undefined && specOf(object) === specOf(old))
    return { outcome: 'untouched', reason: 'unchanged' }
  const root = rootField(object, '')
  readPolicy(root)
  if (root.problems.length > 0) return refuse(name, root.problems.map(formatProblem))
  return old === undefined
    ? { outcome: 'allowed' }
    : warn(users, `policy ${name} changes while it is in use: ${users}; ${CHANGED}`)
}

const DELETED = 'its limits stay on their pods, and new pods get none until a policy of that name is back'
const CHANGED = 'their pods get its new defaults, and meet its new bounds when they are made anew'

const warn = (users: string, warning: string): Judgement =>
  users === '' ? { outcome: 'allowed' } : { outcome: 'warned', warnings: [warning] }

/** What the API server gave has its keys in order, so that equal specs are equal texts. */
function specOf(object: unknown): string {
  const root = rootField(object, '')
  return JSON.stringify(childOf(root, readMap(root) ?? {}, 'spec').value)
}

const MOST_VIOLATIONS = 20

function refuse(name: string, problems: readonly string[]): Judgement {
  const left = problems.length - MOST_VIOLATIONS
  const violations = [...problems.slice(0, MOST_VIOLATIONS), ...(left > 0 ? [`and ${left} more`] : [])]
  return { outcome: 'refused', violations, refusal: `IOLimitPolicy ${name}: ${violations.join('; ')}` }
}

const MOST_NAMES = 3

/** `enforced in 4 namespaces (a, b, c, ...), audited in 1 namespace (d)`; empty where nobody names it. */
function describeUsers(name: string, namespaces: Iterable<NamespaceInfo>): string {
  const all = [...namespaces]
  return MODE_LABELS.flatMap((label) => {
    const users = all.filter(({ labels }) => Object.hasOwn(labels, label) && labels[label] === name)
    return users.length === 0 ? [] : [`${VERBS[label.slice(PREFIX.length)]} in ${listNames(users)}`]
  }).join(', ')
}

const VERBS: Readonly<Record<string, string>> = { enforce: 'enforced', warn: 'warned of', audit: 'audited' }

function listNames(users: readonly NamespaceInfo[]): string {
  const names = users.map((user) => user.name).sort()
  const shown = [...names.slice(0, MOST_NAMES), ...(names.length > MOST_NAMES ? ['...'] : [])]
  return `${names.length} namespace${names.length === 1 ? '' : 's'} (${shown.join(', ')})`
}
