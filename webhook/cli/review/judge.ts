/** One pod that a manifest makes, put before the webhook's own engine. */

import { AUDIT_LABEL, ENFORCE_LABEL, WARN_LABEL } from '../../../contract/keys.ts'
import { formatProblem, type Problem } from '../../../contract/problem.ts'
import { answerReview } from '../../admission/answer.ts'
import type { Operation } from '../../admission/patch.ts'
import { ADMISSION_API_VERSION, ADMISSION_KIND, parseReview } from '../../admission/review.ts'
import type { NamespaceInfo } from '../../policy/policy.ts'
import { type Fields, isFields } from '../manifest/objects.ts'
import { formatPath, type Path, valueAt } from '../manifest/path.ts'
import type { PodSite } from '../manifest/sites.ts'
import { type Effective, findEffective } from './effective.ts'
import type { World } from './world.ts'

export type VerdictName =
  | 'allowed'
  | 'defaulted'
  | 'warned'
  | 'refused'
  | 'not-opted-in'
  | 'unknown-namespace'

export interface Outcome {
  readonly site: PodSite
  /** `Deployment`. */
  readonly kind: string
  readonly apiVersion: string
  /** `web-*` where the name is made later. */
  readonly name: string
  readonly namespace: string
  /** The manifest names no namespace, and nobody said which to take. */
  readonly assumed: boolean
  readonly verdict: VerdictName
  readonly policy?: string
  readonly rule?: string
  /** Why nothing was decided: `not-enforced`, `mirror-pod`, ... */
  readonly reason?: string
  /** Names of the keys filled in. */
  readonly defaulted: readonly string[]
  /** What the pod is refused for, a sentence each, with its cure. */
  readonly violations: readonly string[]
  /** As kubectl would print them. */
  readonly warnings: readonly string[]
  readonly audit: Readonly<Record<string, string>>
  /** Of the pod or template. */
  readonly patch: readonly Operation[]
  /** What holds in the end; absent where the pod is refused or nothing is limited. */
  readonly effective?: Effective
  /** What a live webhook answers otherwise; absent where none was asked. */
  readonly disagreements?: readonly string[]
  /** What was asked: an AdmissionReview, as a webhook takes it. */
  readonly review: Fields
}

export interface JudgeOptions {
  /** Where objects go that name no namespace. */
  readonly namespace: string | undefined
  /** Labels of namespaces that nothing tells of. */
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined
  readonly unknownNamespace: 'error' | 'allow'
}

export function judge(site: PodSite, world: World, options: JudgeOptions): Outcome {
  const review = isReview(site.object.value) ? site.object.value : formatReview(site, options)
  const request = isFields(review['request']) ? review['request'] : {}
  const name = textOf(request['namespace'])
  const namespace = findNamespace(name, world, options)
  const base = { ...describeSite(site, request), namespace: name, review, ...NOTHING }
  const parsed = parseReview(review)
  if (parsed.ok && parsed.value.content.kind === 'other')
    return { ...base, verdict: 'not-opted-in', reason: NOT_A_POD }
  if (namespace === undefined && options.unknownNamespace === 'error')
    return { ...base, verdict: 'unknown-namespace' }
  if (!parsed.ok)
    return { ...base, verdict: 'refused', violations: parsed.problems.map(describeUnreadable(site)) }
  const { body, record } = answerReview(parsed.value, { ...world, namespace })
  const { warnings = [], auditAnnotations: audit = {}, patch: encoded } = body.response
  const patch = encoded === undefined ? [] : decodePatch(encoded)
  const { policy, rule, reason, defaulted, violations } = record
  const isIn = namespace === undefined || hasOptedIn(namespace)
  return {
    ...base,
    ...{ warnings, audit, patch, defaulted, violations },
    ...(policy !== undefined && { policy }),
    ...(rule !== undefined && { rule }),
    ...(reason !== undefined && { reason }),
    verdict: findVerdict({ allowed: body.response.allowed, isIn, warnings, defaulted }),
    ...(body.response.allowed && policy !== undefined && effectiveOf(request['object'], patch)),
  }
}

/** Why nothing is decided on a recorded review of something else. */
export const NOT_A_POD = 'not-a-pod'

const NOTHING = { defaulted: [], violations: [], warnings: [], audit: {}, patch: [] } as const

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

export const isReview = ({ kind, apiVersion }: Fields): boolean =>
  kind === ADMISSION_KIND && apiVersion === ADMISSION_API_VERSION

/** Such as the API server sends when a controller makes the pod; a pod without a name gets one from its `generateName`. */
function formatReview({ object, path }: PodSite, { namespace }: JudgeOptions): Fields {
  const found = valueAt(object.value, path)
  const template = isFields(found) ? found : {}
  const owner = isFields(object.value['metadata']) ? object.value['metadata'] : {}
  const metadata = isFields(template['metadata'])
    ? sortAnnotations(template['metadata'])
    : (template['metadata'] ?? {})
  const isPod = path.length === 0
  const pod =
    isPod || !isFields(metadata)
      ? { metadata }
      : { metadata: { generateName: `${textOf(owner['name'])}-`, ...metadata } }
  return {
    apiVersion: ADMISSION_API_VERSION,
    kind: ADMISSION_KIND,
    request: {
      uid: 'review',
      operation: 'CREATE',
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: textOf(owner['namespace']) || (namespace ?? 'default'),
      ...(isPod && { name: textOf(owner['name']) }),
      dryRun: true,
      object: { apiVersion: 'v1', kind: 'Pod', ...pod, spec: template['spec'] },
    },
  }
}

/** Go prints maps in the order of their keys: warnings come in that order from the API server, too. */
function sortAnnotations(metadata: Fields): Fields {
  const { annotations } = metadata
  if (!isFields(annotations)) return metadata
  const sorted = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...metadata, annotations: Object.fromEntries(sorted) }
}

function findNamespace(
  name: string,
  { namespaces, exemptNamespaces }: World,
  { namespaceLabels }: JudgeOptions,
): NamespaceInfo | undefined {
  const known = namespaces.get(name)
  if (known !== undefined) return known
  if (namespaceLabels !== undefined) return { name, labels: namespaceLabels }
  // No policy reaches it, whatever its labels say.
  return exemptNamespaces.includes(name) ? { name, labels: {} } : undefined
}

const hasOptedIn = ({ labels }: NamespaceInfo): boolean =>
  [ENFORCE_LABEL, WARN_LABEL, AUDIT_LABEL].some((label) => Object.hasOwn(labels, label))

function describeSite(site: PodSite, request: Fields) {
  const { value } = site.object
  const metadata = isFields(value['metadata']) ? value['metadata'] : {}
  const inner = isReview(value) && isFields(request['object']) ? request['object'] : value
  const own = isFields(inner['metadata']) ? inner['metadata'] : {}
  const generated = textOf(own['generateName'])
  return {
    site,
    kind: textOf(inner['kind']),
    apiVersion: textOf(inner['apiVersion']),
    name: textOf(own['name']) || (generated === '' ? '' : `${generated}*`),
    assumed: !isReview(value) && textOf(metadata['namespace']) === '',
  }
}

export function decodePatch(encoded: string): readonly Operation[] {
  return JSON.parse(Buffer.from(encoded, 'base64').toString()) as readonly Operation[]
}

function effectiveOf(
  pod: unknown,
  patch: readonly Operation[],
): { readonly effective: Effective } | undefined {
  return { effective: findEffective(pod, patch) }
}

interface Facts {
  readonly allowed: boolean
  readonly isIn: boolean
  readonly warnings: readonly string[]
  readonly defaulted: readonly string[]
}

function findVerdict({ allowed, isIn, warnings, defaulted }: Facts): VerdictName {
  if (!allowed) return 'refused'
  if (warnings.length > 0) return 'warned'
  if (!isIn) return 'not-opted-in'
  return defaulted.length > 0 ? 'defaulted' : 'allowed'
}

/** Problems of a review name the pod inside of it; here the manifest's own field. The API server refuses such a pod itself. */
const describeUnreadable =
  ({ path, object }: PodSite) =>
  (problem: Problem): string => {
    const field = isReview(object.value)
      ? problem.field
      : formatPath(path) + problem.field.replace('request.object', path.length === 0 ? '' : '.')
    return formatProblem({ ...problem, field: field.replace('..', '.').replace(/^\./, '') })
  }

/** Where the annotations of the pod stand, from the object's root. */
export const annotationsPath = ({ object, path }: PodSite): Path =>
  isReview(object.value)
    ? ['request', 'object', 'metadata', 'annotations']
    : [...path, 'metadata', 'annotations']
