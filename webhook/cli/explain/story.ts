/** Why a pod's limits are what they are, from its object and from what the cluster says of it: data, then words. */
import { readAdmitted, splitList } from '../../../contract/admitted.ts'
import type { Annotations } from '../../../contract/annotations.ts'
import { DEFAULTED_KEY, isOurKey, POLICY_KEY, PREFIX, WRITER_ONLY_KEYS } from '../../../contract/keys.ts'
import { formatProblem } from '../../../contract/problem.ts'
import { rootField } from '../../../contract/reader.ts'
import { readPod } from '../../admission/pod.ts'
import { type Adapted, planRelease, readAdapted } from '../../policy/adapted.ts'
import { carryOut } from '../../policy/changes.ts'
import { type Fields, isFields } from '../manifest/objects.ts'
import { type Effective, formatEffective, formatLimitTexts } from '../review/effective.ts'
import type { Outcome } from '../review/judge.ts'

export interface Story {
  readonly namespace: string
  readonly name: string
  /** Empty where it is not scheduled yet. */
  readonly node: string
  /** `iops-limit/enforce` and its kin on the namespace. */
  readonly labels: Readonly<Record<string, string>>
  /** `POLICY/RULE` of the mark; absent on a pod that admission never limited. */
  readonly mark?: string
  /** What its author wrote, by key. */
  readonly asked: Readonly<Record<string, string>>
  /** What admission filled in, by key. */
  readonly defaulted: Readonly<Record<string, string>>
  /** What the advisor imposes for what it did; absent where it never did. */
  readonly adapted?: Adapted
  readonly effective: Effective
  /** Keys that cannot be read, and so limit nothing. */
  readonly problems: readonly string[]
  /** What admission would do if the pod were made now. */
  readonly now: Pick<Outcome, 'verdict' | 'policy' | 'rule' | 'violations' | 'warnings' | 'defaulted'>
  /** What its node's enforcer says; absent where nobody could be asked. */
  readonly enforcement?: Enforcement
  readonly enforcementUnknown?: string
}

export interface Enforcement {
  readonly enforcer: string
  /** `limited`, `failing`, `absent`, `unmarked`, `unlimited`. */
  readonly state: string
  readonly cgroups: readonly CgroupState[]
  readonly problems: readonly string[]
}

export interface CgroupState {
  /** Absent: the pod's own. */
  readonly container?: string
  /** `259:0`. */
  readonly device: string
  readonly wanted: Readonly<Record<string, string>>
  readonly inForce: Readonly<Record<string, string>>
}

export function tellStory(
  pod: Fields,
  labels: Readonly<Record<string, string>>,
  now: Outcome,
): Omit<Story, 'enforcement'> {
  const read = readPod(rootField(pod, ''))
  const annotations = read?.annotations ?? {}
  const admitted = readAdmitted(annotations)
  const filled = new Set(splitList(annotations[DEFAULTED_KEY] ?? '').map((name) => `${PREFIX}${name}`))
  const adapted = readAdapted(annotations)
  const own = findOwn(annotations, adapted)
  const { verdict, policy, rule, violations, warnings, defaulted } = now
  const [metadata, spec] = [pod['metadata'], pod['spec']].map((part) => (isFields(part) ? part : {}))
  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    namespace: textOf(metadata?.['namespace']),
    name: textOf(metadata?.['name']),
    node: textOf(spec?.['nodeName']),
    labels,
    ...(admitted.mark !== undefined && { mark: admitted.mark }),
    asked: Object.fromEntries(own.filter(([key]) => !filled.has(key))),
    defaulted: Object.fromEntries(own.filter(([key]) => filled.has(key))),
    ...(adapted !== undefined && { adapted }),
    effective: formatEffective(
      admitted,
      (read?.containers ?? []).map(({ name }) => name),
    ),
    problems: admitted.problems.map(formatProblem),
    now: {
      verdict,
      ...(policy !== undefined && { policy }),
      ...(rule !== undefined && { rule }),
      violations,
      warnings,
      defaulted,
    },
  }
}

/** What stands there, or stood there before something was imposed. */
function findOwn(
  annotations: Annotations,
  adapted: Adapted | undefined,
): readonly (readonly [key: string, text: string])[] {
  const before = adapted ? carryOut(planRelease(adapted, annotations), annotations) : annotations
  return Object.entries(before).filter(
    ([key]) => isOurKey(key) && !WRITER_ONLY_KEYS.some((known) => known === key),
  )
}

export function formatStory(story: Story): string {
  const { namespace, name, node, labels, problems } = story
  const lines = [
    `Pod ${namespace}/${name}${node === '' ? ', not on a node yet' : ` on node ${node}`}`,
    `  namespace: ${listPairs(labels) || 'no label of iops-limit: nothing is enforced here'}`,
    `  decided by: ${describeDecider(story)}`,
    `  its author asked: ${listPairs(story.asked) || 'nothing'}`,
    `  admission filled in: ${listPairs(story.defaulted) || 'nothing'}`,
    ...describeAdapted(story),
    ...describeLimits(story),
    ...problems.map((text) => `  cannot be read, and limits nothing: ${text}`),
    ...describeEnforcement(story),
    ...describeNow(story),
  ]
  return `${lines.join('\n')}\n`
}

const listPairs = (map: Readonly<Record<string, string>>): string =>
  Object.entries(map)
    .map(([key, text]) => `${key}=${text}`)
    .join(', ')

function describeDecider({ mark }: Story): string {
  if (mark === undefined) return `nobody: the pod lacks ${POLICY_KEY}, so the enforcer leaves it alone`
  const [policy = '', rule = ''] = mark.split('/')
  return rule === '-' ? `policy ${policy}, in which no rule matched` : `policy ${policy}, rule ${rule}`
}

function describeAdapted({ adapted }: Story): readonly string[] {
  if (adapted === undefined) return []
  const { imposed, since, why, lifted } = adapted
  if (lifted !== undefined)
    return [`  imposed for what it did: nothing any more, somebody lifted it (seen at ${lifted})`]
  const keys = Object.entries(imposed).map(([name, text]): readonly [string, string] => [
    `${PREFIX}${name}`,
    text,
  ])
  return [`  imposed for what it did: ${listPairs(Object.fromEntries(keys))}, since ${since} (${why})`]
}

function describeLimits({ mark, effective }: Story): readonly string[] {
  const { scope, pod, containers } = effective
  const isHeld = mark === undefined ? ' (not enforced)' : ''
  const shared = formatLimitTexts(pod)
  return [
    ...(scope === 'pod'
      ? [`  limits of the pod${isHeld}: ${shared}`]
      : [`  limits of each container${isHeld}:`]),
    ...containers.map(({ name, exempt, limits }) => {
      if (exempt) return `    container ${name}: exempt, no limit`
      const own = formatLimitTexts(limits)
      return `    container ${name}: ${scope === 'pod' && own === shared ? 'shares them' : own}`
    }),
  ]
}

function describeEnforcement({ enforcement, enforcementUnknown }: Story): readonly string[] {
  if (enforcement === undefined)
    return [`  on its node: not known, ${enforcementUnknown ?? 'no enforcer was asked'}`]
  const { enforcer, state, cgroups, problems } = enforcement
  return [
    `  on its node: ${state}, says enforcer ${enforcer}`,
    ...cgroups.map(({ container, device, wanted, inForce }) => {
      const [want, have] = [formatLimitTexts(wanted), formatLimitTexts(inForce)]
      const whose = container === undefined ? 'the pod' : `container ${container}`
      return `    disk ${device}, ${whose}: ${have}${want === have ? '' : `, wanted ${want}`}`
    }),
    ...problems.map((text) => `    ${text}`),
  ]
}

/** Told where it differs from what stands on the pod. */
function describeNow({ mark, now }: Story): readonly string[] {
  const today = now.policy === undefined ? undefined : `${now.policy}/${now.rule ?? '-'}`
  const said = [...now.violations.map((text) => `refused: ${text}`), ...now.warnings]
  if (today === mark && said.length === 0) return []
  const decider = today === undefined ? 'by no policy' : `by ${today}`
  return [`  made anew now: ${now.verdict}, ${decider}`, ...said.map((text) => `    ${text}`)]
}
