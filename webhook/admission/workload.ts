/**
 * The kinds of objects that make pods, and where in each the pod stands.
 * Source: k8s.io/api/{core,apps,batch}/v1/types.go.
 */
import { childOf, type Field, readMap } from '../../contract/reader.ts'
import { type ReadPod, readPod } from './pod.ts'

export interface PodKind {
  /** Empty for the core group. Every version of it counts. */
  readonly group: string
  readonly kind: string
  /** As a review calls it: `apps/deployments`. */
  readonly resource: string
  /** Keys from the object to its pod template; none where the object is the pod. */
  readonly path: readonly string[]
}

const TEMPLATE = ['spec', 'template']

export const POD: PodKind = { group: '', kind: 'Pod', resource: 'pods', path: [] }

/** What users apply in place of pods. */
export const WORKLOADS: readonly PodKind[] = [
  { group: 'apps', kind: 'Deployment', resource: 'apps/deployments', path: TEMPLATE },
  { group: 'apps', kind: 'StatefulSet', resource: 'apps/statefulsets', path: TEMPLATE },
  { group: 'apps', kind: 'DaemonSet', resource: 'apps/daemonsets', path: TEMPLATE },
  { group: 'apps', kind: 'ReplicaSet', resource: 'apps/replicasets', path: TEMPLATE },
  { group: '', kind: 'ReplicationController', resource: 'replicationcontrollers', path: TEMPLATE },
  { group: 'batch', kind: 'Job', resource: 'batch/jobs', path: TEMPLATE },
  { group: 'batch', kind: 'CronJob', resource: 'batch/cronjobs', path: ['spec', 'jobTemplate', ...TEMPLATE] },
  { group: '', kind: 'PodTemplate', resource: 'podtemplates', path: ['template'] },
]

export const POD_KINDS: readonly PodKind[] = [POD, ...WORKLOADS]

/** Undefined for an object that makes no pods, so far as `kinds` know; a file may hold anything there. */
export function findPodKind(
  object: { readonly apiVersion?: unknown; readonly kind?: unknown },
  kinds: readonly PodKind[] = POD_KINDS,
): PodKind | undefined {
  const { apiVersion, kind } = object
  if (typeof apiVersion !== 'string') return undefined
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return kinds.find((known) => known.kind === kind && known.group === group)
}

/**
 * What stands at the end of the path, as a pod. Undefined where nothing does (a ReplicationController may be without), and,
 * with problems noted at the field, where it cannot be read.
 */
export function readPodTemplate(object: Field, path: readonly string[]): ReadPod | undefined {
  const [key, ...rest] = path
  const map = readMap(object)
  if (map === undefined) return undefined
  if (key === undefined) return readPod({ ...object, value: { ...map, metadata: map['metadata'] ?? {} } })
  const child = childOf(object, map, key)
  return child.value === undefined || child.value === null ? undefined : readPodTemplate(child, rest)
}
