/** Back-fill: from a pod as the API server stores it to the request that mends it. */
import { childOf, type Field, readMap, readString, rootField } from '../../contract/reader.ts'
import { isNothing } from '../policy/changes.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { decideStanding, type Standing } from '../policy/standing.ts'
import type { PodInfo } from '../policy/subject.ts'
import { readPod } from './pod.ts'
import { cut, toPrintable } from './sentence.ts'

/** A pod that has not ended. */
export interface StandingPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly isRunning: boolean
  /** When it was started or, before that, made; milliseconds since 1970. */
  readonly since: number
  readonly info: PodInfo
}

/** A merge patch (RFC 7396) that the API server refuses where the pod is another one or has changed since. */
export interface PodPatch {
  readonly metadata: {
    readonly uid: string
    readonly resourceVersion: string
    readonly annotations: Readonly<Record<string, string | null>>
  }
}

export interface Backfill extends Pick<Standing, 'isUnmarked' | 'isUnreadable' | 'isLifting'> {
  /** Absent where the pod carries what it should. */
  readonly patch?: PodPatch
  /** What is out of bounds or cannot be read, and stays so; one line that an Event can carry. */
  readonly complaint?: string
}

/** Undefined for a pod that has ended (`Succeeded`, `Failed`), and for what is no pod. */
export function readStandingPod(item: unknown): StandingPod | undefined {
  const root = rootField(item, 'pod')
  const info = readPod(root)
  const pod = readMap(root)
  if (info === undefined || pod === undefined) return undefined
  const at = readPart(root, pod, 'metadata')
  const status = readPart(root, pod, 'status')
  const read = (key: string): string => readString(at(key)) ?? ''
  const named = { namespace: read('namespace'), name: read('name') }
  const version = { uid: read('uid'), resourceVersion: read('resourceVersion') }
  const since = Date.parse(String(status('startTime').value ?? at('creationTimestamp').value))
  const phase = status('phase').value
  if (root.problems.length > 0 || phase === 'Succeeded' || phase === 'Failed') return undefined
  return { ...named, ...version, isRunning: phase === 'Running', since, info }
}

function readPart(
  root: Field,
  map: Readonly<Record<string, unknown>>,
  part: 'metadata' | 'status',
): (key: string) => Field {
  const field = childOf(root, map, part)
  const values = field.value === undefined ? {} : (readMap(field) ?? {})
  return (key) => childOf(field, values, key)
}

/** The API server takes 1024 bytes of an Event's words. */
const LONGEST_COMPLAINT = 1024

/** A pure function: carried out, it plans nothing. Undefined for a pod that is left alone. */
export function planBackfill(
  { uid, resourceVersion, info }: StandingPod,
  namespace: NamespaceInfo,
  rulebook: Rulebook,
): Backfill | undefined {
  const standing = decideStanding({ namespace, pod: info }, rulebook)
  if (standing === undefined) return undefined
  const { changes, complaint, ...rest } = standing
  const annotations = {
    ...changes.set,
    ...Object.fromEntries(changes.remove.map((key) => [key, null])),
  }
  return {
    ...(!isNothing(changes) && { patch: { metadata: { uid, resourceVersion, annotations } } }),
    ...(complaint !== undefined && { complaint: cut(toPrintable(complaint), LONGEST_COMPLAINT) }),
    ...rest,
  }
}
