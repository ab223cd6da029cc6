/**
 * The kubelet's summary, so far as it tells of IO: how long pods and containers waited. It counts no operations and no bytes.
 * Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go (Summary, PodStats, IOStats, PSIStats)
 */
import { childOf, type Field, readList, readMap, readString, rootField } from '../../contract/reader.ts'
import type { Pressure } from './usage.ts'

export interface PodSummary {
  readonly namespace: string
  readonly name: string
  /** As in the name of its cgroup. */
  readonly uid: string
  /** Where the kubelet has it: from 1.33 on, with the feature KubeletPSI and cgroup v2. */
  readonly pressure?: Pressure
  /** By name. */
  readonly containers: ReadonlyMap<string, ContainerSummary>
}

export interface ContainerSummary {
  /** RFC 3339; of this run of the container. */
  readonly startedAt?: string
  readonly pressure?: Pressure
}

export interface NodeSummary {
  readonly name: string
  readonly pressure?: Pressure
}

/** An item of `pods`; undefined where it names no pod. What is odd in it is left out, since all of it is a courtesy. */
export function parsePodSummary(item: unknown): PodSummary | undefined {
  const field = rootField(item, 'pods')
  const reference = mapAt(field, 'podRef')
  const [namespace, name, uid] = ['namespace', 'name', 'uid'].map((key) => textAt(reference, key))
  if (namespace === undefined || name === undefined || uid === undefined) return undefined
  const containers = listAt(field, 'containers').flatMap((container) => {
    const key = textAt(container, 'name')
    return key === undefined ? [] : [[key, parseContainer(container)] as const]
  })
  return { namespace, name, uid, ...readPressure(field), containers: new Map(containers) }
}

/** The member `node`. */
export function parseNodeSummary(node: unknown): NodeSummary | undefined {
  const field = rootField(node, 'node')
  const name = textAt(field, 'nodeName')
  return name === undefined ? undefined : { name, ...readPressure(field) }
}

function parseContainer(container: Field): ContainerSummary {
  const startedAt = textAt(container, 'startTime')
  return { ...(startedAt !== undefined && { startedAt }), ...readPressure(container) }
}

/** `io.psi.some.total`: microseconds, though the type's comment says nanoseconds (seen with 1.35: it is io.pressure's). */
function readPressure(field: Field): { readonly pressure?: Pressure } {
  const psi = mapAt(mapAt(field, 'io'), 'psi')
  const [some, full] = ['some', 'full'].map((kind) => mapAt(mapAt(psi, kind), 'total').value)
  return isCount(some) && isCount(full) ? { pressure: { some: some / 1e6, full: full / 1e6 } } : {}
}

const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0

function mapAt(field: Field, key: string): Field {
  const map = readMap(field)
  return map === undefined ? { ...field, value: undefined } : childOf(field, map, key)
}

const textAt = (field: Field, key: string): string | undefined => readString(mapAt(field, key))

const listAt = (field: Field, key: string): readonly Field[] => readList(mapAt(field, key)) ?? []
