/** This replica's part in the back-fill: a candidate for the Lease, and at work while it holds it. */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../../contract/problem.ts'
import { runAsLeader } from '../../kube/lease.ts'
import { runBackfill } from '../cluster/backfill.ts'
import { type BackfillMetrics, createBackfillMetrics } from './backfillMetrics.ts'
import type { Configuration } from './configuration.ts'
import { untilReady } from './untilReady.ts'
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
  const { client, world, log, metrics, readRulebook } = webhook
  const { webhookNamespace: namespace, leaseName: name, identity = hostname() } = settings
  if (client === undefined || namespace === undefined || namespaces !== undefined || !settings.backfill)
    return
  const observe = observeBoth(log, createBackfillMetrics(metrics.registry, effects.now))
  const deps = { ...effects, client, identity, sleep: wait }
  await runAsLeader(
    client,
    { namespace, name },
    {
      ...deps,
      stopped,
      observe: observe.lease,
      async lead(signal) {
        // Contending for it begins before that: whoever has to wait for a dead leader's Lease waits from the start.
        await untilReady(world, signal)
        await runBackfill({
          ...deps,
          readRulebook,
          settings: { interval: settings.backfillInterval, qps: settings.backfillQps, pageSize: PAGE_SIZE },
          readNamespaces: () => world.namespaces,
          onChange: world.onChange,
          observe: observe.backfill,
          stopped: signal,
        })
      },
    },
  )
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal })

function observeBoth(log: Logger, { lease, backfill }: BackfillMetrics): BackfillMetrics {
  return {
    lease: {
      leading() {
        lease.leading()
        log.info('back-fill: leading')
      },
      ended(why) {
        lease.ended(why)
        log.info({ why }, 'back-fill: no longer leading')
      },
      failed(error) {
        lease.failed(error)
        log.warn({ reason: messageOf(error) }, 'back-fill: lease failed, trying again')
      },
    },
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
