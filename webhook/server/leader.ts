/** One of several replicas at work: whoever holds a Lease, once it can make decisions. */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient } from '../../kube/client.ts'
import { type LeaseObserver, runAsLeader } from '../../kube/lease.ts'
import type { LeaseName } from '../../kube/leaseRecord.ts'
import type { Namespaces } from '../policy/policy.ts'
import { needed } from './needed.ts'
import type { Settings } from './settings.ts'
import type { Webhook, WebhookParts } from './webhook.ts'
import type { World } from './world.ts'

export interface Replica {
  readonly settings: Pick<Settings, 'identity'>
  /** With a cluster: there is no Lease without. */
  readonly webhook: Pick<Webhook, 'client' | 'world' | 'readRulebook'>
  readonly effects: WebhookParts
  readonly stopped: AbortSignal
}

export interface Office {
  readonly lease: LeaseName
  readonly observe: LeaseObserver
  /** The leader's work: goes on until its signal aborts. */
  readonly lead: (tools: LeaderTools) => Promise<void>
}

/** What all leaders work with. */
export interface LeaderTools extends WebhookParts, Pick<Webhook, 'readRulebook'> {
  readonly client: KubeClient
  readonly identity: string
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly readNamespaces: () => Namespaces
  /** The leader's signal. */
  readonly stopped: AbortSignal
}

/** Until stopped; never rejects. */
export async function leadWhenReady(
  { settings, webhook, effects, stopped }: Replica,
  { lease, observe, lead }: Office,
): Promise<void> {
  const { world, readRulebook } = webhook
  const client = needed(webhook.client)
  const tools = { ...effects, client, identity: settings.identity ?? hostname(), sleep: wait }
  await runAsLeader(client, lease, {
    ...tools,
    stopped,
    observe,
    async lead(signal) {
      // Contending for it begins before that: whoever has to wait for a dead leader's Lease waits from the start.
      await untilReady(world, signal)
      await lead({ ...tools, readRulebook, readNamespaces: () => world.namespaces, stopped: signal })
    },
  })
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal })

const LOOK_AGAIN = 200

/** Fulfilled once decisions can be made, or the signal aborts. */
async function untilReady(world: Pick<World, 'unready'>, signal: AbortSignal): Promise<void> {
  while (world.unready.length > 0 && !signal.aborted)
    await sleep(LOOK_AGAIN, undefined, { signal }).catch(() => undefined)
}
