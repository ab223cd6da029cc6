/** The kubelet's list of pods, from unknown JSON to what limits need. Source: k8s.io/api/core/v1/types.go (PodList). */
import { type Admitted, readAdmitted } from '../../contract/admitted.ts'
import type { Annotations } from '../../contract/annotations.ts'
import { bad, ok, type Problem, type Result } from '../../contract/problem.ts'
import {
  childOf,
  type Field,
  readList,
  readMap,
  readString,
  readStringMap,
  refuse,
  rootField,
} from '../../contract/reader.ts'

export interface NodePod {
  /** `NAMESPACE/NAME`. */
  readonly id: string
  /** As it stands in the name of the pod's cgroup; compared with names, never made into a path. */
  readonly uid: string
  /** Containers by the id that the runtime gave; a container that has not started yet has none. */
  readonly containers: ReadonlyMap<string, string>
  readonly admitted: Admitted
}

export interface PodList {
  readonly pods: readonly NodePod[]
  /** Of items that could not be read: they are left out, the rest goes on. */
  readonly problems: readonly Problem[]
}

export function parsePodList(list: unknown): Result<PodList> {
  const root = rootField(list, '')
  const map = readMap(root)
  const items = map && readList(childOf(root, map, 'items'))
  if (items === undefined) return bad(...root.problems)
  const pods = items.flatMap((item) => readPod(item) ?? [])
  return ok({ pods, problems: root.problems })
}

/** What an API server's copy of a static pod carries: its own uid is not the one in the cgroup's name. */
const MIRROR = 'kubernetes.io/config.mirror'
const HASH = 'kubernetes.io/config.hash'

function readPod(field: Field): NodePod | undefined {
  const before = field.problems.length
  const pod = readMap(field)
  const metadataField = pod && childOf(field, pod, 'metadata')
  const metadata = metadataField && readMap(metadataField)
  if (pod === undefined || metadataField === undefined || metadata === undefined) return undefined
  const at = (key: string): Field => childOf(metadataField, metadata, key)
  const [namespace, name] = [readString(at('namespace')), readString(at('name'))]
  const annotations = readStringMap(at('annotations'))
  const uid = readUid(at('uid'), annotations)
  const containers = readContainers(childOf(field, pod, 'status'))
  if (namespace === undefined || name === undefined || uid === undefined || field.problems.length > before)
    return undefined
  return { id: `${namespace}/${name}`, uid, containers, admitted: readAdmitted(annotations) }
}

function readUid(field: Field, annotations: Annotations): string | undefined {
  const uid = readString(field)
  if (uid === undefined) return undefined
  const known = annotations[MIRROR] === undefined ? uid : (annotations[HASH] ?? uid)
  return /^[0-9A-Za-z-]{1,128}$/.test(known)
    ? known
    : refuse({ ...field, value: known }, 'is not a uid', 'the API server sends letters, digits and dashes')
}

const STATUSES = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses']

function readContainers(statusField: Field): ReadonlyMap<string, string> {
  if (isNone(statusField)) return new Map()
  const status = readMap(statusField)
  if (status === undefined) return new Map()
  return new Map(STATUSES.flatMap((key) => readStatuses(childOf(statusField, status, key))))
}

const isNone = ({ value }: Field): boolean => value === undefined || value === null

function readStatuses(field: Field): readonly (readonly [id: string, name: string])[] {
  if (isNone(field)) return []
  return (readList(field) ?? []).flatMap((item) => {
    const status = readMap(item)
    if (status === undefined) return []
    const name = readString(childOf(item, status, 'name'))
    const idField = childOf(item, status, 'containerID')
    const id = isNone(idField) ? undefined : readString(idField)
    return name === undefined || id === undefined || id === '' ? [] : [[withoutScheme(id), name] as const]
  })
}

/** `containerd://ID` to `ID`. */
const withoutScheme = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
