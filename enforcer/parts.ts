/** The parts of the program that stays, and how they know each other. */
import type { Server } from 'node:http'
import { createKubeClient } from '../kube/client.ts'
import { findServiceAccount } from '../kube/serviceAccount.ts'
import type { DaemonEffects, DaemonGiven } from './effects.ts'
import type { Agenda } from './loop/agenda.ts'
import { createFolders, type Folders } from './loop/folders.ts'
import { createInquiries, type Inquiries } from './loop/inquiries.ts'
import type { LoopObserver } from './loop/loop.ts'
import { createPodEnforcer, type PodEnforcer } from './loop/podEnforcer.ts'
import { createSightings } from './loop/sightings.ts'
import { createWatches, type Watches } from './node/watches.ts'
import { createWarner, type Warner } from './seen/events.ts'
import { CONTENT_TYPE } from './seen/exposition.ts'
import { createMetrics, type Metrics } from './seen/metrics.ts'
import { createObserver, type Observer, tellEvent } from './seen/observer.ts'
import { createViewServer } from './seen/server.ts'
import type { Status } from './seen/status.ts'
import { type Page, type Query, type Scene, viewContainers, viewLimits } from './seen/view.ts'
import type { Feed } from './sources/feed.ts'
import type { Access } from './usage/access.ts'
import { createPageAccess, createUsage, type UsagePart } from './usageParts.ts'

export interface Parts {
  readonly folders: Folders
  readonly watches: Watches
  readonly pods: PodEnforcer
  readonly inquiries: Inquiries
  readonly metrics: Metrics
  readonly observer: Observer
  readonly observe: LoopObserver
  readonly usage: UsagePart
  /** Undefined: whoever can come may look. */
  readonly access: Access | undefined
}

export interface Core {
  readonly agenda: Agenda
  readonly feed: Feed
  readonly status: Status
}

export function createParts(given: DaemonGiven, effects: DaemonEffects, core: Core): Parts {
  const { clock } = effects
  const metrics = createMetrics({
    place: () => core.status.place,
    records: () => hands.pods.records,
    source: () => core.feed.source,
    age: () => core.feed.book && (clock() - core.feed.book.at) / 1000,
    watched: () => hands.watches.size,
    usage: () => usage.sampler,
    ...effects.usage,
  })
  const observer = createObserver({
    log: effects.log,
    metrics,
    warner: createPodWarner(given, effects, metrics),
    nodeName: given.settings.nodeName,
    clock,
  })
  const hands = createHands(core, effects, observer)
  const observe: LoopObserver = {
    ...observer.loop,
    passed: (pass) => {
      core.status.passed(pass.place)
      observer.loop.passed(pass)
    },
  }
  const usage = createUsage(given, effects, {
    place: () => core.status.place,
    records: () => hands.pods.records.values(),
    observer,
  })
  return { ...hands, metrics, observer, observe, usage, access: createPageAccess(given, effects, observer) }
}

type Hands = Pick<Parts, 'folders' | 'watches' | 'pods' | 'inquiries'>

/** What touches the node. */
function createHands(
  { agenda, feed }: Core,
  { clock, sleep, stopped }: DaemonEffects,
  observer: Observer,
): Hands {
  const later = (milliseconds: number): Promise<void> => sleep(milliseconds, stopped).catch(() => undefined)
  const folders = createFolders()
  const isListed = (uid: string): boolean => feed.book?.pods.has(uid) === true
  const watches = createWatches({
    onEntry: createSightings({ folders, watches: () => watches, agenda, isListed }),
    onRefused: observer.watchRefused,
  })
  const pods = createPodEnforcer({
    watches,
    observe: observer.pods,
    retryLater: (uid, milliseconds) => void later(milliseconds).then(() => agenda.add([uid], 'retry')),
    clock,
  })
  const inquiries = createInquiries({
    refresh: feed.refresh,
    answered: (uids) => agenda.add(uids, 'pod'),
    sleep: later,
    clock,
  })
  return { folders, watches, pods, inquiries }
}

/** Where there is an API server to tell. */
function createPodWarner(
  { settings, env }: DaemonGiven,
  { log, clock, now }: DaemonEffects,
  metrics: Metrics,
): Warner | undefined {
  const connection = findServiceAccount(env, settings.serviceAccount)
  if (connection === undefined || !settings.events) return undefined
  return createWarner({
    client: createKubeClient(connection, {
      clock: () => clock() / 1000,
      onCall: ({ status, seconds }) => {
        metrics.calls.inc({ target: 'apiserver', code: String(status) })
        metrics.callDuration.observe(seconds, { target: 'apiserver' })
      },
    }),
    nodeName: settings.nodeName,
    clock,
    now,
    told: tellEvent(log, metrics),
  })
}

export function createPages(
  { pods, metrics, usage, access }: Parts,
  status: Status,
  clock: () => number,
): Server {
  const view = (show: (scene: Scene, query: Query) => Page) => (query: Query) =>
    status.place &&
    show({ records: pods.records.values(), place: status.place, usage: usage.sampler, clock }, query)
  return createViewServer({
    metrics: () => ({ type: CONTENT_TYPE, body: metrics.format() }),
    findIllness: status.findIllness,
    findUnreadiness: status.findUnreadiness,
    containers: view(viewContainers),
    limits: view(viewLimits),
    ...{ access, look: usage.keeping.look },
  })
}
