/** What the kernel says of limited cgroups, read at each scrape; so many series and no more, whatever a node holds. */
import { DIMENSIONS } from '../../contract/limits.ts'
import type { Target } from '../core/targets.ts'
import type { Pressure } from '../core/usage.ts'
import type { PodRecord } from '../loop/podEnforcer.ts'
import type { Place } from '../place.ts'
import { type Family, formatLabels, type Series } from './exposition.ts'
import { type Reading, readGroup, readPressure } from './usage.ts'

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
      series: seriesOf(read, showLimits),
    },
    {
      name: `${PREFIX}io_operations_total`,
      type: 'counter',
      help: 'Operations on the disk (io.stat).',
      series: seriesOf(read, ({ where, usage }) => showBoth(where, usage?.reads, usage?.writes)),
    },
    {
      name: `${PREFIX}io_bytes_total`,
      type: 'counter',
      help: 'Bytes moved from and to the disk (io.stat).',
      series: seriesOf(read, ({ where, usage }) => showBoth(where, usage?.readBytes, usage?.writtenBytes)),
    },
    {
      name: `${PREFIX}io_pressure_seconds_total`,
      type: 'counter',
      help: 'Seconds in which some, or all, tasks waited for IO (io.pressure).',
      series: seriesOf(read, showPressure),
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
    .flatMap(({ targets }) => findOutermost(targets))
    .flatMap((target) => devices.map((device, index) => ({ target, device, isFirst: index === 0 })))

/**
 * One for each name that series go by. On v1 a container has one for each cgroup that is nested in it as well: the container's own comes
 * first, and counts what they do.
 */
const findOutermost = (targets: readonly Target[]): readonly Target[] => [
  ...new Map(targets.toReversed().map((target) => [target.container, target])).values(),
]

/** What one cgroup's files say; the series are made of it one by one, as they are written. */
interface RowReading extends Reading {
  /** Labels: of the cgroup, and of the cgroup and the disk. */
  readonly whose: string
  readonly where: string
  readonly pressure: Pressure | undefined
}

function readRow({ target, device, isFirst }: Row, { rules }: Place): RowReading {
  const [namespace = '', pod = ''] = target.pod.split('/')
  const whose = formatLabels({ namespace, pod, container: target.container ?? '' })
  return {
    ...readGroup(target.path, device, rules.version),
    whose,
    where: `${whose},${formatLabels({ device })}`,
    pressure: isFirst ? readPressure(target.path) : undefined,
  }
}

function* seriesOf(
  rows: readonly RowReading[],
  show: (row: RowReading) => readonly Series[],
): Generator<Series> {
  for (const row of rows) yield* show(row)
}

const showLimits = ({ where, caps }: RowReading): readonly Series[] =>
  DIMENSIONS.flatMap((dimension) => {
    const value = caps[dimension]
    return value === undefined ? [] : [{ labels: `${where},dimension="${dimension}"`, value }]
  })

const showBoth = (where: string, read: bigint | undefined, write: bigint | undefined): readonly Series[] =>
  read === undefined || write === undefined
    ? []
    : [
        { labels: `${where},direction="read"`, value: read },
        { labels: `${where},direction="write"`, value: write },
      ]

const showPressure = ({ whose, pressure }: RowReading): readonly Series[] =>
  pressure === undefined
    ? []
    : [
        { labels: `${whose},kind="some"`, value: pressure.some },
        { labels: `${whose},kind="full"`, value: pressure.full },
      ]
