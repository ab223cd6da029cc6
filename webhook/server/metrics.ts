/** The webhook's metrics, in a registry of their own. Names: https://prometheus.io/docs/practices/naming/ */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type ClusterMetrics, createClusterMetrics, type ReadAges } from './clusterMetrics.ts'

export interface Metrics {
  readonly registry: Registry
  readonly reviews: Counter<'operation' | 'outcome' | 'dry_run'>
  readonly validations: Counter<'resource' | 'operation' | 'outcome' | 'dry_run'>
  readonly refusals: Counter<'policy' | 'dry_run'>
  readonly duration: Histogram
  readonly rejections: Counter<'reason'>
  readonly failedOpen: Counter
  readonly reloads: Counter<'what' | 'result'>
  readonly cluster: ClusterMetrics
}

/** Read at each scrape. */
export interface Readings {
  readonly requests: () => number
  readonly bufferedBytes: () => number
  /** Names of those in force. */
  readonly policies: () => readonly string[]
  readonly refusedPolicies: () => number
  readonly namespaces: () => number
  /** End of the serving certificate's life, in seconds since 1970. */
  readonly certificateExpiry: () => number
  readonly ages: ReadAges
}

const PREFIX = 'iops_limit_webhook_'

export function createMetrics(readings: Readings): Metrics {
  const registry = new Registry()
  const registers = [registry]
  createGauges(registry, readings)
  return {
    registry,
    cluster: createClusterMetrics(PREFIX, registry, readings.ages),
    ...createReviewMetrics(registers),
    refusals: createRefusals(registers, readings.policies),
    rejections: new Counter({
      registers,
      name: `${PREFIX}rejected_requests_total`,
      help: 'Requests that were no reviews, came in too large a crowd or too slowly, by reason.',
      labelNames: ['reason'],
    }),
    failedOpen: new Counter({
      registers,
      name: `${PREFIX}failed_open_total`,
      help: 'Pods let through without limits because iops-limit itself broke.',
    }),
    reloads: new Counter({
      registers,
      name: `${PREFIX}reloads_total`,
      help: 'New versions of files seen (tls, policies, namespaces), by result: loaded, refused.',
      labelNames: ['what', 'result'],
    }),
  }
}

function createReviewMetrics(registers: Registry[]): Pick<Metrics, 'reviews' | 'validations' | 'duration'> {
  return {
    reviews: new Counter({
      registers,
      name: `${PREFIX}reviews_total`,
      help: 'Reviews answered, by outcome: untouched, allowed, defaulted, changed, refused, failed.',
      labelNames: ['operation', 'outcome', 'dry_run'],
    }),
    validations: new Counter({
      registers,
      name: `${PREFIX}validations_total`,
      help: 'Reviews answered by the validating webhook, by resource and outcome: untouched, allowed, warned, missed, refused, failed.',
      labelNames: ['resource', 'operation', 'outcome', 'dry_run'],
    }),
    duration: new Histogram({
      registers,
      name: `${PREFIX}review_duration_seconds`,
      help: 'From the head of a request to its answer.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
  }
}

/** Every policy in force has its series, at 0 too: a first refusal is an increase only where there was a 0 before. */
function createRefusals(registers: Registry[], readPolicies: Readings['policies']): Metrics['refusals'] {
  const counter: Metrics['refusals'] = new Counter({
    registers,
    name: `${PREFIX}refusals_total`,
    help: 'Reviews that either webhook refused, by the policy that decided; -: none did.',
    labelNames: ['policy', 'dry_run'],
    collect() {
      for (const policy of ['-', ...readPolicies()]) counter.inc({ policy, dry_run: 'false' }, 0)
    },
  })
  return counter
}

function createGauges(registry: Registry, readings: Readings): void {
  const add = (name: string, help: string, read: () => number): void => {
    const gauge: Gauge = new Gauge({
      name: `${PREFIX}${name}`,
      help,
      registers: [registry],
      collect: () => gauge.set(read()),
    })
  }
  add('requests_in_flight', 'Reviews under way.', readings.requests)
  add('buffered_bytes', 'Bytes of bodies held in memory.', readings.bufferedBytes)
  add('policies', 'Policies in force.', () => readings.policies().length)
  add('refused_policies', 'Policy objects whose present spec is not in force.', readings.refusedPolicies)
  add('namespaces', 'Namespaces known.', readings.namespaces)
  add(
    'certificate_expiry_timestamp_seconds',
    'When the serving certificate ends, in seconds since 1970.',
    readings.certificateExpiry,
  )
}
