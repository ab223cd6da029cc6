/** The kubelet's list of pods, from unknown JSON to what limits need. Source: k8s.io/api/core/v1/types.go (PodList). */
import { type Admitted, readAdmitted, splitList } from '../../contract/admitted.ts'
import type { Annotations } from '../../contract/annotations.ts'
import { DEFAULTED_KEY, LIMIT_NAMES, limitKey } from '../../contract/keys.ts'
import { bad, ok, type Problem, type Result } from '../../contract/problem.ts'
import {
  childOf,
  type Field,
  pathOf,
  readList,
  readMap,
  readString,
  readStringMap,
  refuse,
  rootField,
} from '../../contract/reader.ts'
import { type Containers, readContainers } from './containers.ts'

export interface NodePod extends Containers {
  /** `NAMESPACE/NAME`. */
  readonly id: string
  /** As it stands in the name of the pod's cgroup; compared with names, never made into a path. */
  readonly uid: string
  readonly admitted: Admitted
  /** Names of the limits that a policy filled in. */
  readonly defaulted: readonly string[]
  /** A limit of the pod's own stands among them, or in their place. */
  readonly hasOwn: boolean
}

export interface PodList {
  readonly pods: readonly NodePod[]
  /** Of items that could not be read: they are left out, the rest goes on. */
  readonly problems: readonly Problem[]
}

/** The kubelet says `PodList`, kubectl `List`; a list that was cut out of an answer says nothing. */
const KINDS: readonly unknown[] = ['PodList', 'List', undefined]

export function parsePodList(list: unknown): Result<PodList> {
  const root = rootField(list, 'PodList')
  const map = readMap(root)
  const kind = map && childOf(root, map, 'kind')
  if (kind && !KINDS.includes(kind.value))
    refuse(kind, 'is no list of pods', "give the kubelet's answer to /pods")
  const items = map && root.problems.length === 0 ? readList(childOf(root, map, 'items')) : undefined
  if (items === undefined) return bad(...root.problems)
  return ok(gatherPods(items.map(readClaim)))
}

/** One item of a list, or of a watch, with what is wrong with it; no claim where it cannot be read. */
export interface Reading {
  readonly claim?: Claim
  readonly problems: readonly Problem[]
}

/** A single pod, as a watch brings it. */
export const parsePod = (item: unknown): Reading => readClaim(rootField(item, 'Pod'))

function readClaim(field: Field): Reading {
  const own: Field = { ...field, problems: [] }
  const claim = readPod(own)
  return { ...(claim && { claim }), problems: own.problems }
}

/** All that is known of a node. */
export function gatherPods(readings: readonly Reading[]): PodList {
  const problems = readings.flatMap((reading) => reading.problems)
  const claims = readings.flatMap(({ claim }) => claim ?? [])
  return { pods: settleClaims(claims, problems), problems }
}

/** A pod with the uid that it names as its cgroup's. */
export interface Claim {
  readonly pod: NodePod
  /** From an annotation, which anyone may have written, and not from the API server's own field. */
  readonly isBorrowed: boolean
}

/** One cgroup is one pod's: where two claim it, the one whose own uid it is has it, or else the first. */
function settleClaims(claims: readonly Claim[], problems: Problem[]): readonly NodePod[] {
  const owners = new Map<string, NodePod>()
  for (const { pod } of [...claims].sort((a, b) => Number(a.isBorrowed) - Number(b.isBorrowed))) {
    const owner = owners.get(pod.uid)
    if (owner === undefined) owners.set(pod.uid, pod)
    else
      problems.push({
        field: `pod ${pod.id}`,
        value: pod.uid,
        reason: `is the uid of pod ${owner.id} too, whose cgroup it names`,
        cure: 'list each pod once, and no static pod under the uid of another',
      })
  }
  // Once: a list that has the same pod twice may be given as the same object twice.
  return claims.flatMap(({ pod }) => (owners.get(pod.uid) === pod && owners.delete(pod.uid) ? [pod] : []))
}

function readPod(field: Field): Claim | undefined {
  const pod = readMap(field)
  const metadataField = pod && childOf(field, pod, 'metadata')
  const metadata = metadataField && readMap(metadataField)
  if (pod === undefined || metadataField === undefined || metadata === undefined) return undefined
  const [namespace, name] = ['namespace', 'name'].map((key) =>
    readString(childOf(metadataField, metadata, key)),
  )
  if (namespace === undefined || name === undefined) return undefined
  const id = `${namespace}/${name}`
  const named: Field = { ...field, parent: undefined, step: `${pathOf(field)} (${id})` }
  const claim = readUid(childOf(named, pod, 'metadata'), metadata)
  const containers = readContainers(childOf(named, pod, 'spec'), childOf(named, pod, 'status'))
  if (claim === undefined || field.problems.length > 0) return undefined
  const { uid, annotations, isBorrowed } = claim
  const defaulted = splitList(annotations[DEFAULTED_KEY] ?? '')
  const admitted = readAdmitted(annotations)
  const hasOwn =
    admitted.overrides.size > 0 ||
    LIMIT_NAMES.some((limit) => annotations[limitKey(limit)] !== undefined && !defaulted.includes(limit))
  return { pod: { id, uid, ...containers, admitted, defaulted, hasOwn }, isBorrowed }
}

/** What an API server's copy of a static pod carries: its own uid is not the one in the cgroup's name. */
const MIRROR = 'kubernetes.io/config.mirror'
const HASH = 'kubernetes.io/config.hash'

interface Identity {
  readonly uid: string
  readonly isBorrowed: boolean
  readonly annotations: Annotations
}

function readUid(field: Field, metadata: Readonly<Record<string, unknown>>): Identity | undefined {
  const uidField = childOf(field, metadata, 'uid')
  const own = readString(uidField)
  const annotations = readStringMap(childOf(field, metadata, 'annotations'))
  if (own === undefined) return undefined
  const uid = annotations[MIRROR] === undefined ? own : (annotations[HASH] ?? own)
  return /^[0-9A-Za-z-]{1,128}$/.test(uid)
    ? { uid, isBorrowed: uid !== own, annotations }
    : refuse(
        { ...uidField, value: uid },
        'is not a uid',
        'give it as the API server does: letters, digits, dashes',
      )
}
