/** The parts that see to usage, and who may look at it. */
import { isIP } from 'node:net'
import { createKubeClient, type KubeClient } from '../kube/client.ts'
import { findServiceAccount } from '../kube/serviceAccount.ts'
import type { Usage } from './core/usage.ts'
import type { DaemonEffects, DaemonGiven } from './effects.ts'
import type { PodRecord } from './loop/podEnforcer.ts'
import type { Place } from './place.ts'
import type { Observer } from './seen/observer.ts'
import { readCounters } from './seen/usage.ts'
import { findKubelet } from './sources/kubeletConnection.ts'
import { type Access, createAccess } from './usage/access.ts'
import { createKeeping, type Keeping } from './usage/keeping.ts'
import { createKubeletStats } from './usage/kubeletStats.ts'
import { createSampler, type Sampler, type UsageGroup } from './usage/sampler.ts'

export interface UsageScene {
  readonly place: () => Place | undefined
  readonly records: () => Iterable<PodRecord>
  readonly observer: Observer
}

export interface UsagePart {
  readonly sampler: Sampler
  readonly keeping: Keeping
}

export function createUsage(given: DaemonGiven, effects: DaemonEffects, scene: UsageScene): UsagePart {
  const { clock, now } = effects
  const { place, records, observer } = scene
  const sampler = createSampler({
    kubelet: given.settings.usageFromKubelet ? createStats(given, effects, observer) : undefined,
    readCgroup: (path, device) => readCgroup(path, device, place()),
    now: () => now().getTime(),
    clock,
  })
  const keeping = createKeeping({
    ...{ interval: given.settings.usageInterval, sampler, observe: observer.usage },
    findGroups: () => findGroups(records()),
    findDevices: () => place()?.devices ?? [],
    ...{ random: effects.random, sleep: effects.sleep, stopped: effects.stopped },
    ...{ collectGarbage: effects.collectGarbage, clock },
  })
  return { sampler, keeping }
}

function createStats({ settings, env }: DaemonGiven, effects: DaemonEffects, observer: Observer) {
  const client = createKubeClient(findKubelet(settings, env), {
    clock: () => effects.clock() / 1000,
    onCall: (call) => observer.called('kubelet', call),
  })
  return createKubeletStats({ ...effects, client, timeout: settings.kubeletTimeout })
}

const NO_PLACE = 'there is no cgroup tree to read'

function readCgroup(path: string, device: string, place: Place | undefined): Usage | string {
  return place === undefined ? NO_PLACE : readCounters(path, device, place.rules.version)
}

function findGroups(records: Iterable<PodRecord>): readonly UsageGroup[] {
  return [...records].flatMap(({ pod: { uid }, targets }) =>
    targets.map(({ path, container }) => ({ path, container, uid })),
  )
}

/** Nobody is asked for a token where only this host can come: HOST is a loopback address. */
export function createPageAccess(
  { settings, env }: DaemonGiven,
  { clock }: DaemonEffects,
  observer: Observer,
): Access | undefined {
  const { host, serviceAccount, apiAudiences: audiences } = settings
  if (isLoopback(host)) return undefined
  const connection = findServiceAccount(env, serviceAccount)
  const client: KubeClient | undefined =
    connection &&
    createKubeClient(connection, {
      clock: () => clock() / 1000,
      onCall: (call) => observer.called('apiserver', call),
    })
  return createAccess({ client, clock, audiences })
}

/** 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291), and the name that stands for both. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
