/** The running webhook, from its configuration to its orderly end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { runAdvising } from './advisor.ts'
import { runReplica } from './backfill.ts'
import type { Serving } from './certificate.ts'
import type { Configuration } from './configuration.ts'
import { followFiles } from './reload.ts'
import { close, findOwnHost, formatOrigin, listen, tlsOptions } from './servers.ts'
import type { Settings } from './settings.ts'
import type { TlsPair } from './tls.ts'
import { createWebhook, type Webhook, type WebhookParts } from './webhook.ts'

export interface ServeEffects extends WebhookParts {
  /** Fulfilled, with the reason, once the program is to end. */
  readonly untilStopped: () => Promise<string>
}

/** Serves until it is stopped; rejects where it cannot begin. */
export async function serve(configuration: Configuration, effects: ServeEffects): Promise<void> {
  // From the very start: as a container's first process, nothing else would end it.
  const stopped = effects.untilStopped()
  const { settings } = configuration
  const webhook = createWebhook(configuration, effects)
  const { log, life, review, ops } = webhook
  const address = await openPorts(webhook, settings)
  life.startServing()
  const following = new AbortController()
  const followed = follow(configuration, webhook, { address, stopped: following.signal })
  const leading = new AbortController()
  const led = Promise.all(
    [runReplica, runAdvising].map((run) => run(configuration, webhook, effects, leading.signal)),
  )
  life.startStopping(await stopped)
  // At once: another replica goes on with the back-fill, and the advice, while this one serves to its end.
  leading.abort()
  log.info({ reasons: life.unready, delay: settings.shutdownDelay }, 'stopping')
  await sleep(settings.shutdownDelay)
  await close(review, settings.shutdownTimeout)
  following.abort()
  await Promise.all([followed, led])
  await close(ops, 0)
  log.info('stopped')
}

/** All that keeps decisions up to date; never rejects. */
async function follow(
  configuration: Configuration,
  { observer, world, certificate, review }: Webhook,
  { address, stopped }: { readonly address: Address; readonly stopped: AbortSignal },
): Promise<void> {
  const servePair = (pair: TlsPair): void =>
    review.setSecureContext(tlsOptions(pair, configuration.clientCa?.current))
  const { tellChanged } = world
  await Promise.all([
    followFiles(configuration, { observer, servePair, tellChanged, stopped }),
    world.run(stopped),
    certificate.run({ ...address, servePair }, stopped),
  ])
}

/** Of the port for reviews, as it is reached from here. */
type Address = Pick<Serving, 'host' | 'port'>

async function openPorts(
  { review, ops, log }: Webhook,
  { host, port, metricsPort }: Settings,
): Promise<Address> {
  const metrics = await listen(ops, { host, port: metricsPort })
  try {
    const mutate = await listen(review, { host, port })
    log.info(
      {
        mutate: `${formatOrigin('https', mutate)}/mutate`,
        metrics: `${formatOrigin('http', metrics)}/metrics`,
      },
      'listening',
    )
    return { host: findOwnHost(mutate), port: mutate.port }
  } catch (error) {
    await close(ops, 0)
    throw error
  }
}
