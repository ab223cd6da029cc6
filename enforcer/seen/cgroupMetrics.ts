/** What the kernel says of limited cgroups, read at each scrape; so many series and no more, whatever a node holds. */
import { DIMENSIONS } from '../../contract/limits.ts'
import type { Target } from '../core/targets.ts'
import type { PodRecord } from '../loop/podEnforcer.ts'
import type { Place } from '../place.ts'
import type { Family, Series } from './exposition.ts'
import { readGroup, readPressure } from './usage.ts'

/** Cgroups times disks: beyond the 110 pods of a full node, each with its containers. */
export const MOST = 1_000

const PREFIX = 'iops_limit_enforcer_'

export function readCgroupFamilies(
  records: ReadonlyMap<string, PodRecord>,
  place: Place | undefined,
): readonly Family[] {
  const rows = place === undefined ? [] : findRows(records, place)
  const read = place === undefined ? [] : rows.slice(0, MOST).map((row) => readRow(row, place))
  return [
    {
      name: `${PREFIX}limit`,
      type: 'gauge',
      help: 'Limits in force as the kernel tells them: operations or bytes a second. No container: of the whole pod.',
      series: read.flatMap(({ limits }) => limits),
    },
    {
      name: `${PREFIX}io_operations_total`,
      type: 'counter',
      help: 'Operations on the disk (io.stat).',
      series: read.flatMap(({ operations }) => operations),
    },
    {
      name: `${PREFIX}io_bytes_total`,
      type: 'counter',
      help: 'Bytes moved from and to the disk (io.stat).',
      series: read.flatMap(({ bytes }) => bytes),
    },
    {
      name: `${PREFIX}io_pressure_seconds_total`,
      type: 'counter',
      help: 'Seconds in which some, or all, tasks waited for IO (io.pressure).',
      series: read.flatMap(({ pressure }) => pressure),
    },
    {
      name: `${PREFIX}cgroups_left_out`,
      type: 'gauge',
      help: `Limited cgroups beyond the first ${MOST}, which no metric tells of.`,
      series: [{ value: Math.max(rows.length - MOST, 0) }],
    },
  ]
}

interface Row {
  readonly target: Target
  readonly device: string
  readonly isFirst: boolean
}

const findRows = (records: ReadonlyMap<string, PodRecord>, { devices }: Place): readonly Row[] =>
  [...records.values()]
    .filter(({ isLimited }) => isLimited)
    .flatMap(({ targets }) => targets)
    .flatMap((target) => devices.map((device, index) => ({ target, device, isFirst: index === 0 })))

interface RowSeries {
  readonly limits: readonly Series[]
  readonly operations: readonly Series[]
  readonly bytes: readonly Series[]
  readonly pressure: readonly Series[]
}

function readRow({ target, device, isFirst }: Row, { rules }: Place): RowSeries {
  const [namespace = '', pod = ''] = target.pod.split('/')
  const whose = { namespace, pod, container: target.container ?? '' }
  const where = { ...whose, device }
  const { caps, usage } = readGroup(target.path, device, rules.version)
  const pressure = isFirst ? readPressure(target.path) : undefined
  const both = (read: bigint | undefined, write: bigint | undefined): readonly Series[] =>
    read === undefined || write === undefined
      ? []
      : [
          { labels: { ...where, direction: 'read' }, value: Number(read) },
          { labels: { ...where, direction: 'write' }, value: Number(write) },
        ]
  return {
    limits: DIMENSIONS.flatMap((dimension) => {
      const cap = caps[dimension]
      return cap === undefined ? [] : [{ labels: { ...where, dimension }, value: Number(cap) }]
    }),
    operations: both(usage?.reads, usage?.writes),
    bytes: both(usage?.readBytes, usage?.writtenBytes),
    pressure: (['some', 'full'] as const).flatMap((kind) =>
      pressure === undefined ? [] : [{ labels: { ...whose, kind }, value: pressure[kind] }],
    ),
  }
}
