/** Metrics of the certificate that looks after itself. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface KeeperMetrics {
  readonly steps: Counter<'step'>
  readonly publications: Counter
  readonly failures: Counter
  /** Until when the authority of what is served is valid. */
  readonly served: (authorityEnds: Date) => void
}

const PREFIX = 'iops_limit_webhook_'

export function createKeeperMetrics(registry: Registry): KeeperMetrics {
  const registers = [registry]
  const authority = new Gauge({
    registers,
    name: `${PREFIX}ca_expiry_timestamp_seconds`,
    help: 'When the authority of the serving certificate ends, in seconds since 1970.',
  })
  return {
    served: (ends) => authority.set(ends.getTime() / 1000),
    steps: new Counter({
      registers,
      name: `${PREFIX}certificate_steps_total`,
      help: 'Steps of the rotation that this replica took: create, renew, announce, switch, drop.',
      labelNames: ['step'],
    }),
    publications: new Counter({
      registers,
      name: `${PREFIX}ca_publications_total`,
      help: 'Times that this replica wrote the CA to a webhook configuration.',
    }),
    failures: new Counter({
      registers,
      name: `${PREFIX}certificate_failures_total`,
      help: 'Calls for the Secret or the webhook configurations that failed and were tried again.',
    }),
  }
}
