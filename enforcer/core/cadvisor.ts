/**
 * What containers and pods have moved, by the kubelet's cAdvisor metrics: one series a cgroup, disk and direction.
 * Source: cadvisor/metrics/prometheus.go (container_fs_*, container_blkio_device_usage_total)
 */
import type { Sample } from './exposition.ts'
import { findContainerId, findPodUid } from './names.ts'
import type { Usage } from './usage.ts'

export interface Counted {
  readonly usage: Usage
  /** Milliseconds since 1970, when cAdvisor read the oldest of the counters; undefined: it does not say. */
  readonly at: number | undefined
}

export interface CadvisorBook {
  readonly add: (sample: Sample) => void
  /** `group`: see {@link findGroupKey}. `device`: `MAJOR:MINOR`. Undefined where the four counters are not all there. */
  readonly find: (group: string, device: string) => Counted | undefined
  /** Counters that were taken up. */
  readonly size: number
}

const COUNTERS: ReadonlyMap<string, keyof Usage> = new Map([
  ['container_fs_reads_total', 'reads'],
  ['container_fs_writes_total', 'writes'],
  ['container_fs_reads_bytes_total', 'readBytes'],
  ['container_fs_writes_bytes_total', 'writtenBytes'],
])

/** The only series that tells a disk by its name and by its number. */
const NUMBERS = 'container_blkio_device_usage_total'

export const isCadvisorCounter = (name: string): boolean => COUNTERS.has(name) || name === NUMBERS

/** How their lines begin: of some 20,000 lines of a full node one in ten. */
export const CADVISOR_BEGINNINGS = ['container_fs_reads_', 'container_fs_writes_', NUMBERS] as const

/** The id of a container, or the uid of a pod, that a cgroup's path ends in: the same whatever the tree above is seen as. */
export function findGroupKey(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return findContainerId(name) ?? findPodUid(name)
}

type Counters = { -readonly [counter in keyof Usage]?: bigint } & { at?: number }

export function createCadvisorBook(): CadvisorBook {
  const groups = new Map<string, Map<string, Counters>>()
  const names = new Map<string, string>()
  let size = 0
  return {
    add: (sample) => {
      const { name, labels } = sample
      const device = labels.get('device')
      if (device === undefined) return
      const counter = COUNTERS.get(name)
      if (counter === undefined) return noteNumber(names, labels, device)
      const key = findGroupKey(labels.get('id') ?? '')
      const count = toCount(sample.value)
      if (key === undefined || count === undefined) return
      const disks = placeOf(groups, key, () => new Map<string, Counters>())
      const counters = placeOf(disks, device, (): Counters => ({}))
      counters[counter] = count
      if (sample.timestamp !== undefined)
        counters.at = Math.min(counters.at ?? sample.timestamp, sample.timestamp)
      size += 1
    },
    find: (group, device) => {
      const disk = names.get(device)
      return disk === undefined ? undefined : toCounted(groups.get(group)?.get(disk))
    },
    get size() {
      return size
    },
  }
}

function noteNumber(names: Map<string, string>, labels: Sample['labels'], device: string): void {
  const [major, minor] = [labels.get('major'), labels.get('minor')]
  if (major !== undefined && minor !== undefined) names.set(`${major}:${minor}`, device)
}

/** Counters come as floats, exact up to 2^53 (9 PB). */
const toCount = (value: number): bigint | undefined =>
  Number.isFinite(value) && value >= 0 ? BigInt(Math.round(value)) : undefined

function placeOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const value = map.get(key) ?? create()
  map.set(key, value)
  return value
}

function toCounted(counters: Counters | undefined): Counted | undefined {
  const { reads, writes, readBytes, writtenBytes, at } = counters ?? {}
  return reads === undefined || writes === undefined || readBytes === undefined || writtenBytes === undefined
    ? undefined
    : { usage: { reads, writes, readBytes, writtenBytes }, at }
}
