/** What stands where, and why not, as JSON: the pages of /api/v1. */
import { formatProblem } from '../../contract/problem.ts'
import type { Caps } from '../core/caps.ts'
import type { Rates } from '../core/rates.ts'
import type { Usage } from '../core/usage.ts'
import type { PodRecord } from '../loop/podEnforcer.ts'
import type { Place } from '../place.ts'
import type { GroupUsage, Sampler } from '../usage/sampler.ts'
import { findState } from './state.ts'
import { readGroup, readPressure } from './usage.ts'

export interface Query {
  readonly namespace?: string
  readonly pod?: string
  /** Items a page. */
  readonly limit: number
  /** What the page before gave as `continue`. */
  readonly continue?: string
}

export interface Page {
  readonly items: readonly unknown[]
  /** Of all pages. */
  readonly total: number
  /** For the next page; absent on the last. */
  readonly continue?: string
}

/** What there is to see. */
export interface Scene {
  readonly records: Iterable<PodRecord>
  readonly place: Place
  readonly usage: Pick<Sampler, 'find'>
  /** Milliseconds: the sampler's. */
  readonly clock: () => number
}

/** One item a pod, limited or not. */
export const viewLimits = (scene: Scene, query: Query): Page =>
  paginate(
    select(scene.records, query).map((record) => ({ key: record.pod.id, record })),
    query,
    ({ record }) => viewPod(record, scene),
  )

/** One item a cgroup that can carry a limit, whether or not it does, on each disk. */
export function viewContainers(scene: Scene, query: Query): Page {
  const { records, place } = scene
  const rows = select(records, query).flatMap((record) =>
    record.targets.flatMap((target) =>
      place.devices.map((device) => ({
        key: `${record.pod.id} ${target.path} ${device}`,
        ...{ record, target, device },
      })),
    ),
  )
  return paginate(rows, query, ({ record, target: { container, path }, device }) => {
    const { caps, usage: totals } = readGroup(path, device, place.rules.version)
    const pressure = readPressure(path)
    return {
      ...nameOf(record),
      uid: record.pod.uid,
      ...{ container, path, device },
      limit: showCaps(caps),
      ...showUsage(scene, path, device),
      ...(totals && { totals: showTotals(totals) }),
      ...(pressure && { pressureSeconds: pressure }),
    }
  })
}

const select = (records: Iterable<PodRecord>, { namespace, pod }: Query): readonly PodRecord[] =>
  [...records].filter((record) => {
    const named = nameOf(record)
    return (namespace ?? named.namespace) === named.namespace && (pod ?? named.pod) === named.pod
  })

/** In the order of their keys, each of which is one item's: what comes and goes between two pages moves no other. */
function paginate<T extends { readonly key: string }>(
  rows: readonly T[],
  { limit, continue: token }: Query,
  view: (row: T) => unknown,
): Page {
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8')
  const rest = rows.filter(({ key }) => key > after).toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const shown = rest.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(view),
    total: rows.length,
    ...(last && rest.length > limit && { continue: Buffer.from(last.key).toString('base64url') }),
  }
}

const nameOf = ({ pod: { id } }: PodRecord) => ({
  namespace: id.slice(0, id.indexOf('/')),
  pod: id.slice(id.indexOf('/') + 1),
})

function viewPod(record: PodRecord, scene: Scene): unknown {
  const { place } = scene
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
        ...showUsage(scene, path, device),
      })),
    ),
    problems: problems.map(formatProblem),
  }
}

const showCaps = (caps: Caps) =>
  Object.fromEntries(Object.entries(caps).map(([dimension, cap]) => [dimension, showNumber(cap)]))

const showTotals = (usage: Usage) =>
  Object.fromEntries(
    Object.entries(usage).map(([what, count]: [string, bigint]) => [what, showNumber(count)]),
  )

/** By the last sample; nothing where there was none yet. */
function showUsage({ usage, clock }: Scene, path: string, device: string): { readonly usage?: unknown } {
  const found: GroupUsage | undefined = usage.find(path, device)
  if (found === undefined) return {}
  const { rates, gap, source, passedOver, pressure } = found
  return {
    usage: {
      ...(rates && showRates(rates)),
      ...(gap !== undefined && { gap }),
      source: source ?? null,
      age: Math.round(clock() - found.clock) / 1000,
      passedOver,
      ...(pressure && { pressureSeconds: pressure }),
    },
  }
}

const showRates = (rates: Rates) =>
  Object.fromEntries(
    Object.entries(rates).map(([what, value]: [string, number]) => [what, Math.round(value * 100) / 100]),
  )

/** As text where a JSON number would lose digits. */
const showNumber = (value: bigint): number | string =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
