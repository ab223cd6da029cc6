/** The parts of the running webhook, put together. */
import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DestinationStream, type Logger, pino } from 'pino'
import { createKubeClient, type KubeClient } from '../../kube/client.ts'
import { createValidationCluster } from '../cluster/validation.ts'
import type { NamespaceInfo } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { createAlarm, wake } from './alarm.ts'
import { createApp, createOpsApp } from './app.ts'
import { type Certificate, createFileCertificate, createKeptCertificate } from './certificate.ts'
import { createClientCheck } from './client.ts'
import { createClusterObserver } from './clusterObserver.ts'
import type { Configuration } from './configuration.ts'
import { createGate, type Gate } from './gate.ts'
import { createKeeper } from './keeper.ts'
import { createKeeperMetrics } from './keeperMetrics.ts'
import { createLife, type Life } from './life.ts'
import { createLogTime } from './logStream.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { needed } from './needed.ts'
import { createObserver, type Observer } from './observer.ts'
import { registerProcessMetrics } from './processMetrics.ts'
import { PATIENCE } from './reply.ts'
import { createReviewer, type Reviewer } from './reviewer.ts'
import { createRounds } from './rounds.ts'
import { createOpsServer, createReviewServer, type Timeouts } from './servers.ts'
import { findServername } from './serviceNames.ts'
import type { Settings } from './settings.ts'
import { createValidator } from './validator.ts'
import { createWorld, type World } from './world.ts'

export interface WebhookParts {
  /** Takes the log, a line of JSON each. */
  readonly stdout: DestinationStream
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly now: () => Date
  /** From 0 up to 1. */
  readonly random: () => number
}

export interface Webhook {
  readonly log: Logger
  readonly life: Life
  readonly observer: Observer
  readonly metrics: Metrics
  /** Undefined where files give everything. */
  readonly client: KubeClient | undefined
  readonly world: World
  readonly certificate: Certificate
  readonly readRulebook: () => Rulebook
  readonly review: TlsServer
  readonly ops: Server
}

export function createWebhook(configuration: Configuration, effects: WebhookParts): Webhook {
  const { settings, clientCa } = configuration
  const log = createLog(settings, effects)
  const gate = createGate(
    { maxRequests: settings.maxConcurrent, maxBytes: settings.maxBufferedBytes },
    effects.clock,
  )
  const metrics = createServingMetrics(gate, () => ({ world, certificate }))
  const observer = createObserver(log, metrics)
  const { client, world } = openWorld(configuration, { log, metrics }, effects)
  const certificate = openCertificate(configuration, { log, metrics, client }, effects)
  const life = createLife(() => [...world.unready, ...certificate.unready])
  const exemptNamespaces = findExemptNamespaces(settings)
  const readRulebook = (): Rulebook => ({
    policies: world.policies,
    exemptNamespaces,
    ...(settings.self !== undefined && { self: settings.self }),
  })
  const timeouts = findTimeouts(settings)
  const clients = clientCa && { ca: clientCa.current, names: settings.clientNames }
  const app = createApp({
    ...createReviewers(configuration, { observer, client, world, readRulebook }),
    gate,
    alarm: createAlarm({ clock: effects.clock, wake }),
    rounds: createRounds({ later: setImmediate, onBroken: observer.broken }),
    observer,
    clock: effects.clock,
    bounds: { maxBodyBytes: settings.maxBodyBytes, longestReview: settings.reviewTimeout },
    isClient: createClientCheck(clients),
    closesNow: () => life.isStopping || isChosen(settings, effects.random),
  })
  const opsApp = createOpsApp({ life, observer, registry: metrics.registry, readAges: () => world.ages })
  const common = { timeouts, observer, clock: effects.clock }
  return {
    ...{ log, life, observer, metrics, client, world, certificate, readRulebook },
    review: createReviewServer({ ...common, app }, certificate.pair, clients?.ca),
    ops: createOpsServer({ ...common, app: opsApp }),
  }
}

type Known = Pick<Webhook, 'observer' | 'client' | 'world' | 'readRulebook'>

function createReviewers(
  { policies }: Configuration,
  { observer, client, world, readRulebook }: Known,
): { readonly reviewer: Reviewer; readonly validator: Reviewer } {
  const deps = { readRulebook, findNamespace: world.findNamespace, onBroken: observer.broken }
  const cluster = client && createValidationCluster({ client, onFailed: observer.unlooked })
  const readNamespaces = (): Iterable<NamespaceInfo> => world.namespaces.values()
  return {
    reviewer: createReviewer(deps),
    validator: createValidator({
      ...deps,
      readNamespaces,
      // Where policies come from files, those of the cluster mean nothing.
      ...(cluster && { cluster: policies === undefined ? cluster : { readOutlook: cluster.readOutlook } }),
    }),
  }
}

const createLog = ({ logLevel }: Settings, { stdout, now }: WebhookParts): Logger =>
  pino(
    {
      level: logLevel,
      base: null,
      timestamp: createLogTime(() => now().getTime()),
      formatters: { level: (label) => ({ level: label }) },
    },
    stdout,
  )

function createServingMetrics(gate: Gate, find: () => Pick<Webhook, 'world' | 'certificate'>): Metrics {
  const metrics = createMetrics({
    requests: () => gate.requests,
    bufferedBytes: () => gate.bytes,
    policies: () => [...find().world.policies.keys()],
    refusedPolicies: () => find().world.refusedPolicies,
    namespaces: () => find().world.namespaces.size,
    certificateExpiry: () => (find().certificate.pair?.notAfter.getTime() ?? 0) / 1000,
    ages: () => find().world.ages,
  })
  registerProcessMetrics(metrics.registry)
  return metrics
}

function openCertificate(
  { settings, tls }: Configuration,
  { log, metrics: { registry }, client }: Told & Pick<Webhook, 'client'>,
  { now, random }: WebhookParts,
): Certificate {
  if (tls !== undefined) return createFileCertificate(tls)
  const namespace = needed(settings.webhookNamespace)
  const tools = { client: needed(client), now, random, sleep: wait }
  const metrics = createKeeperMetrics(registry)
  return createKeptCertificate({
    keep: createKeeper({ ...tools, settings, namespace, log, metrics }),
    servername: findServername(settings.serviceName, namespace),
    sleep: wait,
  })
}

type Told = Pick<Webhook, 'log' | 'metrics'>

function openWorld(
  { connection, ...files }: Configuration,
  { log, metrics }: Told,
  { clock, now, random }: WebhookParts,
): Pick<Webhook, 'client' | 'world'> {
  if (connection === undefined) return { client: undefined, world: createWorld(files, undefined) }
  const observe = createClusterObserver(log, metrics.cluster)
  const client = createKubeClient(connection, { clock, onCall: observe.called })
  return { client, world: createWorld(files, { client, clock, now, random, sleep: wait, observe }) }
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal })

/** Our own pods have to be able to start whatever a policy says. */
const findExemptNamespaces = ({ exemptNamespaces, webhookNamespace }: Settings): readonly string[] =>
  webhookNamespace === undefined ? exemptNamespaces : [...exemptNamespaces, webhookNamespace]

/** One in so many. */
const isChosen = ({ closeEvery }: Settings, random: () => number): boolean =>
  closeEvery > 0 && random() < 1 / closeEvery

/** A request ends by the application's own deadline and its patience for a rest; the server's comes behind both. */
const findTimeouts = ({ headersTimeout, reviewTimeout, keepAliveTimeout }: Settings): Timeouts => ({
  headers: headersTimeout,
  request: headersTimeout + reviewTimeout + PATIENCE.milliseconds,
  keepAlive: keepAliveTimeout,
})
