/** This replica's part in advising: a candidate for the Lease, and at work while it holds it. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { runAsLeader } from '../../kube/lease.ts'
import { runAdvisor } from '../advisor/advisor.ts'
import { createAsk } from '../advisor/ask.ts'
import { observeAdvisor } from './advisorLog.ts'
import { createAdvisorMetrics } from './advisorMetrics.ts'
import type { Configuration } from './configuration.ts'
import { needed } from './needed.ts'
import type { Settings } from './settings.ts'
import { untilReady } from './untilReady.ts'
import type { Webhook, WebhookParts } from './webhook.ts'

/** Until stopped, where it is asked for; never rejects. Nothing that is served asks for it. */
export async function runAdvising(
  { settings }: Configuration,
  webhook: Webhook,
  effects: WebhookParts,
  stopped: AbortSignal,
): Promise<void> {
  if (!settings.advisor) return
  const { world, log, metrics, readRulebook } = webhook
  const client = needed(webhook.client)
  const namespace = needed(settings.webhookNamespace)
  const { enforcerSelector: selector, advisorInterval: interval } = settings
  const readToken = createTokenReader(settings)
  const observe = observeAdvisor(log, createAdvisorMetrics(metrics.registry))
  const deps = { ...effects, client, identity: settings.identity ?? hostname(), sleep: wait }
  await runAsLeader(
    client,
    { namespace, name: settings.advisorLease },
    {
      ...deps,
      stopped,
      observe: observe.lease,
      async lead(signal) {
        await untilReady(world, signal)
        await runAdvisor({
          ...deps,
          readRulebook,
          ask: createAsk({ ...effects, port: settings.enforcerPort, readToken }),
          readNamespaces: () => world.namespaces,
          observe: observe.advisor,
          stopped: signal,
          settings: { namespace, selector, interval },
        })
      },
    },
  )
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal })

/** The kubelet replaces the file long before the token in it ends. */
const createTokenReader =
  ({ advisorTokenFile: path }: Pick<Settings, 'advisorTokenFile'>) =>
  async (): Promise<string | undefined> =>
    path === undefined ? undefined : (await readFile(path, 'utf8')).trim()
