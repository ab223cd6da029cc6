/** What stands where, and why not, as JSON: the pages of /api/v1. */
import { formatProblem } from '../../contract/problem.ts'
import type { Caps } from '../core/caps.ts'
import { isLimited } from '../core/targets.ts'
import type { Usage } from '../core/usage.ts'
import type { PodRecord } from '../loop/podEnforcer.ts'
import type { Place } from '../place.ts'
import { findState } from './state.ts'
import { readGroup, readPressure } from './usage.ts'

export interface Query {
  readonly namespace?: string
  readonly pod?: string
  /** Items a page. */
  readonly limit: number
  /** Items to pass over. */
  readonly offset: number
}

export interface Page {
  readonly items: readonly unknown[]
  /** Of all pages. */
  readonly total: number
  /** Offset of the next page; absent on the last. */
  readonly next?: number
}

/** One item a pod, limited or not. */
export const viewLimits = (records: Iterable<PodRecord>, place: Place, query: Query): Page =>
  paginate([...select(records, query)], query, (record) => viewPod(record, place))

/** One item a cgroup that can carry a limit, on each disk. */
export function viewContainers(records: Iterable<PodRecord>, place: Place, query: Query): Page {
  const rows = [...select(records, query)]
    .filter(({ pod }) => isLimited(pod, place.rules))
    .flatMap((record) =>
      record.targets.flatMap((target) => place.devices.map((device) => ({ record, target, device }))),
    )
  return paginate(rows, query, ({ record, target, device }) => {
    const { caps, usage } = readGroup(target.path, device, place.rules.version)
    const pressure = readPressure(target.path)
    return {
      ...nameOf(record),
      container: target.container,
      path: target.path,
      device,
      limit: showCaps(caps),
      ...(usage && { usage: showUsage(usage) }),
      ...(pressure && { pressureSeconds: pressure }),
    }
  })
}

function* select(records: Iterable<PodRecord>, { namespace, pod }: Query): Iterable<PodRecord> {
  for (const record of records) {
    const named = nameOf(record)
    if ((namespace ?? named.namespace) === named.namespace && (pod ?? named.pod) === named.pod) yield record
  }
}

function paginate<T>(rows: readonly T[], { limit, offset }: Query, view: (row: T) => unknown): Page {
  const end = offset + limit
  return {
    items: rows.slice(offset, end).map(view),
    total: rows.length,
    ...(end < rows.length && { next: end }),
  }
}

const nameOf = ({ pod: { id } }: PodRecord) => ({
  namespace: id.slice(0, id.indexOf('/')),
  pod: id.slice(id.indexOf('/') + 1),
})

function viewPod(record: PodRecord, place: Place): unknown {
  const { pod, targets, problems } = record
  return {
    ...nameOf(record),
    uid: pod.uid,
    state: findState(record, place),
    policy: pod.admitted.mark ?? null,
    defaulted: pod.defaulted,
    scope: pod.admitted.scope,
    exemptContainers: [...pod.admitted.exemptContainers],
    cgroups: targets.flatMap(({ container, path, caps }) =>
      place.devices.map((device) => ({
        container,
        path,
        device,
        wanted: showCaps(caps),
        inForce: showCaps(readGroup(path, device, place.rules.version).caps),
      })),
    ),
    problems: problems.map(formatProblem),
  }
}

const showCaps = (caps: Caps) =>
  Object.fromEntries(Object.entries(caps).map(([dimension, cap]) => [dimension, showNumber(cap)]))

const showUsage = (usage: Usage) =>
  Object.fromEntries(
    Object.entries(usage).map(([what, count]: [string, bigint]) => [what, showNumber(count)]),
  )

/** As text where a JSON number would lose digits. */
const showNumber = (value: bigint): number | string =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
