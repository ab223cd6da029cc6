/** What Node and the kernel tell of the process itself. */
import { performance } from 'node:perf_hooks'
import { Counter, collectDefaultMetrics, type Registry } from 'prom-client'

/**
 * Milliseconds, the longest timer there is. prom-client finds the event loop's lag by a timer that wakes the process each time, and
 * has no switch for it: at its own 10 ms that is 0.5 % of a core in a webhook that nobody asks (docs/performance.md).
 */
const NEVER = 2 ** 31 - 1
const LAGS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (of) => `nodejs_eventloop_lag_${of}_seconds`,
)

/** prom-client's usual ones, but how busy the event loop is by the loop's own count, which costs nothing. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER })
  for (const name of LAGS) registry.removeSingleMetric(name)
  new Counter({
    registers: [registry],
    // As OpenTelemetry names it: https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/
    name: 'nodejs_eventloop_time_seconds_total',
    help: 'How long the event loop has been active, and idle.',
    labelNames: ['nodejs_eventloop_state'],
    collect() {
      const { active, idle } = performance.eventLoopUtilization()
      this.reset()
      this.inc({ nodejs_eventloop_state: 'active' }, active / 1000)
      this.inc({ nodejs_eventloop_state: 'idle' }, idle / 1000)
    },
  })
}
