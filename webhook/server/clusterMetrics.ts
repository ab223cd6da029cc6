/** Metrics of what the webhook has to do with the API server. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface ClusterMetrics {
  readonly calls: Counter<'verb' | 'resource' | 'code'>
  readonly callDuration: Histogram<'verb' | 'resource'>
  readonly syncDuration: Histogram<'cache'>
  readonly cacheFailures: Counter<'cache'>
  readonly watchRestarts: Counter<'cache' | 'reason'>
  readonly lookups: Counter<'result'>
}

/** Seconds since each cache's last sign of life, read at each scrape; nothing of those that there are not. */
export type ReadAges = () => Readonly<Record<string, number>>

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export function createClusterMetrics(prefix: string, registry: Registry, readAges: ReadAges): ClusterMetrics {
  const registers = [registry]
  createAges(prefix, registry, readAges)
  return {
    calls: new Counter({
      registers,
      name: `${prefix}kube_requests_total`,
      help: 'Calls to the API server, by verb, resource and status code; code 0: no answer came.',
      labelNames: ['verb', 'resource', 'code'],
    }),
    callDuration: new Histogram({
      registers,
      name: `${prefix}kube_request_duration_seconds`,
      help: 'From a call to the head of its answer.',
      labelNames: ['verb', 'resource'],
      buckets: SECONDS,
    }),
    syncDuration: new Histogram({
      registers,
      name: `${prefix}cache_sync_duration_seconds`,
      help: 'How long a whole list of policies or namespaces took, the first and each further one.',
      labelNames: ['cache'],
      buckets: SECONDS,
    }),
    ...createFollowingCounters(prefix, registers),
  }
}

function createFollowingCounters(
  prefix: string,
  registers: Registry[],
): Pick<ClusterMetrics, 'cacheFailures' | 'watchRestarts' | 'lookups'> {
  return {
    cacheFailures: new Counter({
      registers,
      name: `${prefix}cache_failures_total`,
      help: 'Lists and watches of policies or namespaces that failed and were tried again.',
      labelNames: ['cache'],
    }),
    watchRestarts: new Counter({
      registers,
      name: `${prefix}watch_restarts_total`,
      help: 'Watches opened anew, by reason: ended (routine), silent, expired, error, broken.',
      labelNames: ['cache', 'reason'],
    }),
    lookups: new Counter({
      registers,
      name: `${prefix}namespace_lookups_total`,
      help: 'Namespaces looked up for reviews: hit in the cache; fetched, absent or failed by a direct call.',
      labelNames: ['result'],
    }),
  }
}

function createAges(prefix: string, registry: Registry, readAges: ReadAges): void {
  const gauge: Gauge<'cache'> = new Gauge({
    registers: [registry],
    name: `${prefix}cache_age_seconds`,
    help: 'Time since the API server was last heard of: a list, a watch opened, an event, a bookmark.',
    labelNames: ['cache'],
    collect() {
      for (const [cache, age] of Object.entries(readAges())) gauge.set({ cache }, age)
    },
  })
}
