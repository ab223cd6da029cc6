/** The sentences that every form of the report shares. */
import { ALIAS_KEYS } from '../../../contract/aliases.ts'
import { ENFORCE_LABEL } from '../../../contract/keys.ts'
import { isFields } from '../manifest/objects.ts'
import { type Path, parsePath, valueAt } from '../manifest/path.ts'
import { type Spot, spotAt } from '../manifest/spot.ts'
import { annotationsPath, type Outcome } from './judge.ts'

/** `Deployment rec/web`. */
export const nameOutcome = ({ kind, namespace, name }: Outcome): string =>
  `${kind} ${namespace}/${name === '' ? '(no name)' : name}`

/** `policy gold, rule databases`; empty where no policy decided. */
export const nameDecider = ({ policy, rule }: Outcome): string =>
  policy === undefined ? '' : `policy ${policy}${rule === undefined ? ', no rule matches' : `, rule ${rule}`}`

/** What is to be told of an outcome, the worst first. */
export interface Remark {
  readonly level: 'error' | 'warning' | 'note'
  /** `refused`, `warned`, ...: one for each sort of thing that can be found. */
  readonly rule: 'refused' | 'unknown-namespace' | 'server-disagrees' | 'warned' | 'defaulted'
  readonly text: string
}

export function findRemarks(outcome: Outcome): readonly Remark[] {
  const { verdict, violations, warnings, defaulted, namespace, disagreements = [] } = outcome
  if (verdict === 'unknown-namespace')
    return [{ level: 'error', rule: verdict, text: describeUnknown(namespace, outcome.assumed) }]
  return [
    ...disagreements.map((text) => ({ level: 'error', rule: 'server-disagrees', text }) as const),
    ...violations.map((text) => ({ level: 'error', rule: 'refused', text }) as const),
    ...warnings.map(
      (text) => ({ level: 'warning', rule: 'warned', text: text.replace(/^iops-limit: /, '') }) as const,
    ),
    ...(verdict !== 'refused' && defaulted.length > 0
      ? [{ level: 'note', rule: 'defaulted', text: describeDefaults(outcome) } as const]
      : []),
  ]
}

const describeUnknown = (namespace: string, assumed: boolean): string =>
  `namespace ${namespace}${assumed ? ' (assumed: the manifest names none)' : ''} is not known: its labels decide; give it by --namespaces, ` +
  `--namespace-labels ${ENFORCE_LABEL}=POLICY or --from-cluster, or let it pass by --unknown-namespace allow`

/** `read-iops=500, write-iops=500`. */
function describeDefaults({ defaulted, effective, policy, rule }: Outcome): string {
  const texts = defaulted.map(
    (name) => `${name}=${name === 'scope' ? effective?.scope : effective?.pod[name]}`,
  )
  return `${policy}/${rule ?? '-'} fills in ${texts.join(', ')}`
}

/** The key that a sentence is about, where the manifest has it; else the object. */
export function spotOfRemark(outcome: Outcome, { text }: Pick<Remark, 'text'>): Spot {
  const { site } = outcome
  const path = annotationsPath(site)
  const annotations = valueAt(site.object.value, path)
  const keys = isFields(annotations) ? Object.keys(annotations) : []
  const [key] = keys
    .map((name) => ({ name, at: findMention(text, name) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || b.name.length - a.name.length)
  return spotAt(site.object, key === undefined ? findField(text, site.object.value) : [...path, key.name])
}

/** An older key is called by the one that it stands for. */
function findMention(text: string, key: string): number {
  const own = text.indexOf(key)
  const canonical = ALIAS_KEYS.get(key)
  return own >= 0 || canonical === undefined ? own : text.indexOf(canonical)
}

/** A sentence about a field begins with its path: `spec.template.metadata.labels.app: 5 is a number, ...`. */
function findField(text: string, object: unknown): Path {
  const [field = ''] = /^[^:]+(?=: )/.exec(text) ?? []
  const path = parsePath(field)
  return valueAt(object, path) === undefined ? [] : path
}
