/** This replica's part in advising: a candidate for the Lease, and at work while it holds it. */
import { readFile } from 'node:fs/promises'
import { runAdvisor } from '../advisor/advisor.ts'
import { createAsk } from '../advisor/ask.ts'
import { observeAdvisor } from './advisorLog.ts'
import { createAdvisorMetrics } from './advisorMetrics.ts'
import type { Configuration } from './configuration.ts'
import { leadWhenReady } from './leader.ts'
import { needed } from './needed.ts'
import type { Settings } from './settings.ts'
import type { Webhook, WebhookParts } from './webhook.ts'

/** Until stopped, where it is asked for; never rejects. Nothing that is served asks for it. */
export async function runAdvising(
  { settings }: Configuration,
  webhook: Webhook,
  effects: WebhookParts,
  stopped: AbortSignal,
): Promise<void> {
  if (!settings.advisor) return
  const namespace = needed(settings.webhookNamespace)
  const { enforcerSelector: selector, advisorInterval: interval } = settings
  const readToken = createTokenReader(settings)
  const observe = observeAdvisor(webhook.log, createAdvisorMetrics(webhook.metrics.registry))
  await leadWhenReady(
    { settings, webhook, effects, stopped },
    {
      lease: { namespace, name: settings.advisorLease },
      observe: observe.lease,
      lead: (tools) =>
        runAdvisor({
          ...tools,
          ask: createAsk({ ...effects, port: settings.enforcerPort, readToken }),
          observe: observe.advisor,
          settings: { namespace, selector, interval },
        }),
    },
  )
}

/** The kubelet replaces the file long before the token in it ends. */
const createTokenReader =
  ({ advisorTokenFile: path }: Pick<Settings, 'advisorTokenFile'>) =>
  async (): Promise<string | undefined> =>
    path === undefined ? undefined : (await readFile(path, 'utf8')).trim()
