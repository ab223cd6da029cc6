/** What manifests are judged by: policies and namespaces, from the manifests themselves, from files and from a cluster. */
import { formatProblem } from '../../../contract/problem.ts'
import { rootField } from '../../../contract/reader.ts'
import { POLICY_API_VERSION, POLICY_KIND, readPolicy } from '../../policy/parse.ts'
import type { NamespaceInfo, Policy } from '../../policy/policy.ts'
import type { Rulebook } from '../../policy/rulebook.ts'
import type { ClusterState } from '../cluster.ts'
import { type Fault, type Fields, isFields, type ManifestObject } from '../manifest/objects.ts'
import { spotOf } from '../manifest/spot.ts'
import type { WorldSettings } from './options.ts'

export interface World extends Rulebook {
  readonly namespaces: ReadonlyMap<string, NamespaceInfo>
}

export interface ReadWorld {
  readonly world: World
  readonly faults: readonly Fault[]
}

/** Where each thing comes from; the last in the list that tells of a name is believed. */
export interface WorldSources {
  readonly cluster?: ClusterState
  /** Of --policies: nothing else may stand there. */
  readonly policies: readonly ManifestObject[]
  /** Of --namespaces, likewise. */
  readonly namespaces: readonly ManifestObject[]
  /** The manifests under review: what they hold is what will be. */
  readonly input: readonly ManifestObject[]
}

export function readWorld(
  sources: WorldSources,
  { exemptNamespaces }: Pick<WorldSettings, 'exemptNamespaces'>,
): ReadWorld {
  const faults: Fault[] = []
  const cluster = sources.cluster ?? { policies: [], namespaces: [] }
  const policies = new Map<string, Policy>([
    ...readClusterPolicies(cluster.policies, faults),
    ...readPolicies(sources.policies, faults),
    ...readPolicies(sources.input.filter(isPolicy), faults),
  ])
  const namespaces = new Map<string, NamespaceInfo>([
    ...cluster.namespaces.flatMap((value) => nameNamespace(value)),
    ...readNamespaces(sources.namespaces, faults),
    ...sources.input.filter(isNamespace).flatMap(({ value }) => nameNamespace(value)),
  ])
  return { world: { policies, namespaces, exemptNamespaces }, faults }
}

export const isPolicy = ({ value }: ManifestObject): boolean =>
  value['kind'] === POLICY_KIND &&
  typeof value['apiVersion'] === 'string' &&
  value['apiVersion'].startsWith(POLICY_API_VERSION.split('/')[0] ?? '')

export const isNamespace = ({ value }: ManifestObject): boolean =>
  value['kind'] === 'Namespace' && value['apiVersion'] === 'v1'

type Named<T> = readonly [name: string, item: T]

function readPolicies(objects: readonly ManifestObject[], faults: Fault[]): readonly Named<Policy>[] {
  const names = new Set<string>()
  return objects.flatMap((object) => {
    const field = rootField(object.value, '')
    const policy = readPolicy(field)
    faults.push(
      ...field.problems.map((problem) => ({
        ...spotOf(object, problem.field),
        message: formatProblem(problem),
      })),
    )
    if (policy === undefined) return []
    if (names.has(policy.name))
      faults.push({
        ...spotOf(object, 'metadata.name'),
        message: `metadata.name: "${policy.name}" is the name of an earlier policy; give each its own name`,
      })
    names.add(policy.name)
    return [[policy.name, policy]] as const
  })
}

/** As the webhook does it: a policy of the cluster that cannot be read is told, and is not there. */
function readClusterPolicies(values: readonly Fields[], faults: Fault[]): readonly Named<Policy>[] {
  return values.flatMap((value) => {
    const field = rootField(value, '')
    const policy = readPolicy(field)
    faults.push(
      ...field.problems.map((problem) => ({
        message: `the cluster's ${POLICY_KIND}: ${formatProblem(problem)}`,
      })),
    )
    return policy === undefined ? [] : [[policy.name, policy]]
  })
}

function readNamespaces(
  objects: readonly ManifestObject[],
  faults: Fault[],
): readonly Named<NamespaceInfo>[] {
  return objects.flatMap((object) => {
    const named = isNamespace(object) ? nameNamespace(object.value) : []
    if (named.length === 0)
      faults.push({
        ...spotOf(object, 'kind'),
        message: 'is not a Namespace; leave only Namespace objects in this file',
      })
    return named
  })
}

/** Empty for an object without a name. */
function nameNamespace({ metadata }: Fields): readonly Named<NamespaceInfo>[] {
  if (!isFields(metadata) || typeof metadata['name'] !== 'string') return []
  const name = metadata['name']
  const labels = Object.entries(isFields(metadata['labels']) ? metadata['labels'] : {})
  const texts = labels.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : []))
  return [[name, { name, labels: Object.fromEntries(texts) }]]
}
