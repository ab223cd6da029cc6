/** The enforcer's metrics. Names: https://prometheus.io/docs/practices/naming/ */
import { USAGE_SOURCES } from '../core/rates.ts'
import type { PodRecord } from '../loop/podEnforcer.ts'
import type { Place } from '../place.ts'
import type { SourceName } from '../sources/source.ts'
import type { Sampler } from '../usage/sampler.ts'
import { readCgroupFamilies } from './cgroupMetrics.ts'
import { type Family, formatFamilies, type Series } from './exposition.ts'
import { type Counter, createCounter, createHistogram, type Histogram } from './instruments.ts'
import { findState, POD_STATES } from './state.ts'

export interface Metrics {
  /** Label `cause`. */
  readonly applied: Histogram
  readonly passes: Histogram
  readonly samples: Histogram
  readonly writes: Counter
  /** Label `cause`. */
  readonly errors: Counter
  readonly drift: Counter
  /** Labels `target`, `code`. */
  readonly calls: Counter
  /** Label `target`. */
  readonly callDuration: Histogram
  /** Label `to`. */
  readonly switches: Counter
  readonly refusedWatches: Counter
  /** Label `result`. */
  readonly events: Counter
  /** All of them, and what is read at this moment, in pieces. */
  readonly format: () => Iterable<string>
}

/** Read at each scrape. */
export interface Readings {
  readonly place: () => Place | undefined
  readonly records: () => ReadonlyMap<string, PodRecord>
  readonly source: () => SourceName | undefined
  /** Seconds since the list of pods was true; undefined: there is none yet. */
  readonly age: () => number | undefined
  readonly watched: () => number
  readonly usage: () => Pick<Sampler, 'count'>
  readonly memory: () => number
  /** Seconds of the processor, since the start. */
  readonly processor: () => number
}

export const PREFIX = 'iops_limit_enforcer_'

export function createMetrics(readings: Readings): Metrics {
  const instruments = createInstruments()
  return {
    ...instruments,
    format: () =>
      formatFamilies([
        ...Object.values(instruments).map((instrument) => instrument.read()),
        ...readState(readings),
        readUsage(readings.usage()),
        ...readCgroupFamilies(readings.records(), readings.place()),
      ]),
  }
}

function createInstruments() {
  const counter = (name: string, help: string, labelled = false): Counter =>
    createCounter({ name: `${PREFIX}${name}`, help }, labelled)
  const histogram = (name: string, help: string): Histogram =>
    createHistogram({ name: `${PREFIX}${name}`, help })
  return {
    applied: histogram(
      'apply_seconds',
      'From the moment that a cause was seen (cgroup, pod, interval, retry) to the line written.',
    ),
    passes: histogram('pass_seconds', 'Passes over everything.'),
    samples: histogram('usage_sample_seconds', 'Samples of usage, with the answers of the kubelet.'),
    writes: counter('writes_total', 'Lines written to cgroups.'),
    errors: counter(
      'errors_total',
      'What failed, by cause: the errno of a write, or place, pods, loop, usage.',
      true,
    ),
    drift: counter('drift_total', 'Lines that somebody else had changed, and that were repaired.'),
    calls: counter('calls_total', 'Calls by target and HTTP status; 0: no answer.', true),
    callDuration: histogram('call_seconds', 'Calls by target, until the head of the answer.'),
    switches: counter('source_switches_total', 'Changes of who tells of pods; none: nobody does.', true),
    refusedWatches: counter('refused_watches_total', 'Directories that could not be watched.'),
    events: counter('events_total', 'Warning Events about pods, by result: sent, refused, dropped.', true),
  }
}

const SOURCES: readonly SourceName[] = ['kubelet', 'apiserver', 'file']

function readState(readings: Readings): readonly Family[] {
  const place = readings.place()
  const states =
    place === undefined ? [] : [...readings.records().values()].map((record) => findState(record, place))
  const gauge = (name: string, help: string, ...series: readonly Series[]): Family => ({
    name,
    help,
    type: 'gauge',
    series,
  })
  return [
    gauge(
      `${PREFIX}pods`,
      'Pods seen, by state: limited, failing, absent (no cgroup), unmarked (skipped: no policy), unlimited (skipped: no limit).',
      ...POD_STATES.map((state) => ({
        labels: { state },
        value: states.filter((one) => one === state).length,
      })),
    ),
    gauge(
      `${PREFIX}source`,
      '1 for who tells of pods now, 0 for the others.',
      ...SOURCES.map((source) => ({ labels: { source }, value: Number(readings.source() === source) })),
    ),
    gauge(`${PREFIX}pods_age_seconds`, 'Age of the list of pods; -1: there is none yet.', {
      value: readings.age() ?? -1,
    }),
    gauge(`${PREFIX}watched_directories`, 'Directories of the cgroup tree that are watched.', {
      value: readings.watched(),
    }),
    gauge('process_resident_memory_bytes', 'Resident memory.', { value: readings.memory() }),
    {
      ...gauge('process_cpu_seconds_total', "Seconds of the processor's time.", {
        value: readings.processor(),
      }),
      type: 'counter',
    },
  ]
}

const readUsage = ({ count }: Pick<Sampler, 'count'>): Family => ({
  name: `${PREFIX}usage_series`,
  type: 'gauge',
  help: 'Cgroups times disks at the last sample of usage, by who counted; none: nobody did.',
  series: [...USAGE_SOURCES, undefined].map((source) => ({
    labels: { source: source ?? 'none' },
    value: count(source),
  })),
})
