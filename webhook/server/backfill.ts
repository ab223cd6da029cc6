/** This replica's part in the back-fill: a candidate for the Lease, and at work while it holds it. */
import type { Logger } from 'pino'
import { messageOf } from '../../contract/problem.ts'
import { runBackfill } from '../cluster/backfill.ts'
import { type BackfillMetrics, createBackfillMetrics } from './backfillMetrics.ts'
import type { Configuration } from './configuration.ts'
import { leadWhenReady } from './leader.ts'
import { tellLease } from './leaseLog.ts'
import type { Webhook, WebhookParts } from './webhook.ts'

/** Some megabytes of pods. */
const PAGE_SIZE = 250

/** Until stopped, where namespaces come from a cluster; never rejects. Nothing that is served asks for it. */
export async function runReplica(
  { settings, namespaces }: Configuration,
  webhook: Webhook,
  effects: WebhookParts,
  stopped: AbortSignal,
): Promise<void> {
  const { client, world, log, metrics } = webhook
  const { webhookNamespace: namespace, leaseName: name } = settings
  if (client === undefined || namespace === undefined || namespaces !== undefined || !settings.backfill)
    return
  const observe = observeBoth(log, createBackfillMetrics(metrics.registry, effects.now))
  await leadWhenReady(
    { settings, webhook, effects, stopped },
    {
      lease: { namespace, name },
      observe: observe.lease,
      lead: (tools) =>
        runBackfill({
          ...tools,
          settings: { interval: settings.backfillInterval, qps: settings.backfillQps, pageSize: PAGE_SIZE },
          onChange: world.onChange,
          observe: observe.backfill,
        }),
    },
  )
}

function observeBoth(log: Logger, { lease, backfill }: BackfillMetrics): BackfillMetrics {
  return {
    lease: tellLease(log, 'back-fill', lease),
    backfill: {
      ...backfill,
      failed(error) {
        backfill.failed(error)
        log.warn({ reason: messageOf(error) }, 'back-fill: something failed, trying again later')
      },
      passed(pass) {
        backfill.passed(pass)
        log.info(pass, 'back-fill: pass')
      },
    },
  }
}
