/** The back-fill's metrics: who leads, what is amiss, what was done about it. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { LeaseObserver } from '../../kube/lease.ts'
import type { BackfillObserver } from '../cluster/backfill.ts'
import type { Figures } from '../cluster/backfillTally.ts'

const PREFIX = 'iops_limit_backfill_'

export interface BackfillMetrics {
  readonly lease: LeaseObserver
  readonly backfill: BackfillObserver
}

/** Registers the metrics, and gives the observers that move them. `now` for ages. */
export function createBackfillMetrics(registry: Registry, now: () => Date): BackfillMetrics {
  const leader = createGauge(registry, 'leader', '1 while this replica is the one that back-fills.')
  const errors = createCounter(registry, 'lease_errors_total', 'Attempts at the Lease that failed.')
  return {
    lease: {
      leading: () => leader.set(1),
      ended: () => leader.set(0),
      failed: () => errors.inc(),
    },
    backfill: {
      ...createCounters(registry),
      counted: createFigures(registry, now),
      passed: createPasses(registry, now),
    },
  }
}

function createCounters(registry: Registry): Omit<BackfillObserver, 'counted' | 'passed'> {
  const add = (name: string, help: string): (() => void) => {
    const counter = createCounter(registry, name, help)
    return () => counter.inc()
  }
  return {
    patched: add('patched_pods_total', 'Pods that got other annotations.'),
    conflicted: add(
      'conflicts_total',
      'Pods that another had changed since they were read: read and tried again.',
    ),
    told: add('events_total', 'Events on pods whose values are out of bounds or cannot be read.'),
    failed: add('errors_total', 'Lists, patches and Events that failed; a later pass tries again.'),
  }
}

/** The age is of the moment of the scrape. */
function createFigures(registry: Registry, now: () => Date): (figures: Figures) => void {
  let figures: Figures = { unlimited: 0, outOfBounds: 0 }
  const read = (name: string, help: string, value: () => number): void => {
    const gauge = createGauge(registry, name, help, () => gauge.set(value()))
  }
  read(
    'unlimited_pods',
    'Running pods of opted-in namespaces without valid limits, as this replica has seen while it leads.',
    () => figures.unlimited,
  )
  read(
    'unlimited_pods_oldest_seconds',
    'For how long the oldest of them has been so; 0: there is none.',
    () => (figures.oldest === undefined ? 0 : Math.max(0, (now().getTime() - figures.oldest) / 1000)),
  )
  read(
    'out_of_bounds_pods',
    'Pods with a value that is out of bounds or cannot be read, left as it is.',
    () => figures.outOfBounds,
  )
  return (current) => {
    figures = current
  }
}

function createPasses(registry: Registry, now: () => Date): BackfillObserver['passed'] {
  const examined = createCounter(registry, 'examined_pods_total', 'Pods looked at.')
  const seconds = createGauge(
    registry,
    'last_full_pass_seconds',
    'How long the last pass over every opted-in namespace took.',
  )
  const ended = createGauge(
    registry,
    'last_full_pass_timestamp_seconds',
    'When it ended, in seconds since 1970.',
  )
  return (pass) => {
    examined.inc(pass.pods)
    if (!pass.isFull) return
    seconds.set(pass.seconds)
    ended.set(now().getTime() / 1000)
  }
}

const createCounter = (registry: Registry, name: string, help: string): Counter =>
  new Counter({ name: `${PREFIX}${name}`, help, registers: [registry] })

const createGauge = (registry: Registry, name: string, help: string, collect?: () => void): Gauge =>
  new Gauge({ name: `${PREFIX}${name}`, help, registers: [registry], ...(collect && { collect }) })
