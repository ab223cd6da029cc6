/** The running webhook, from its configuration to its orderly end. */
import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { collectDefaultMetrics } from 'prom-client'
import { createApp, createOpsApp } from './app.ts'
import type { Configuration } from './configuration.ts'
import { createGate, type Gate } from './gate.ts'
import { createLife, type Life } from './life.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createObserver, type Observer } from './observer.ts'
import { followFiles } from './reload.ts'
import { PATIENCE } from './reply.ts'
import { createReviewer } from './reviewer.ts'
import {
  close,
  createOpsServer,
  createReviewServer,
  formatOrigin,
  listen,
  type Timeouts,
  tlsOptions,
} from './servers.ts'
import type { Settings } from './settings.ts'

export interface ServeEffects {
  /** Takes the log, a line of JSON each. */
  readonly stdout: DestinationStream
  /** Seconds, from any start. */
  readonly clock: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  /** Fulfilled, with the reason, once the program is to end. */
  readonly untilStopped: () => Promise<string>
}

/** Serves until it is stopped; rejects where it cannot begin. */
export async function serve(configuration: Configuration, effects: ServeEffects): Promise<void> {
  // From the very start: as a container's first process, nothing else would end it.
  const stopped = effects.untilStopped()
  const { settings } = configuration
  const { log, life, observer, review, ops } = createWebhook(configuration, effects)
  await openPorts({ review, ops, log }, settings)
  life.startServing()
  const following = new AbortController()
  const followed = followFiles(configuration, {
    observer,
    servePair: (pair) => review.setSecureContext(tlsOptions(pair)),
    stopped: following.signal,
  })
  life.startStopping(await stopped)
  log.info({ reasons: life.unready, delay: settings.shutdownDelay }, 'stopping')
  await sleep(settings.shutdownDelay)
  await close(review, settings.shutdownTimeout)
  following.abort()
  await followed
  await close(ops, 0)
  log.info('stopped')
}

interface Webhook {
  readonly log: Logger
  readonly life: Life
  readonly observer: Observer
  readonly review: TlsServer
  readonly ops: Server
}

function createWebhook(configuration: Configuration, effects: ServeEffects): Webhook {
  const { settings, tls } = configuration
  const { maxBodyBytes, closeEvery } = settings
  const { clock, random } = effects
  const log = createLog(settings, effects.stdout)
  const life = createLife()
  const gate = createGate({ maxRequests: settings.maxConcurrent, maxBytes: settings.maxBufferedBytes })
  const metrics = createServingMetrics(configuration, gate)
  const observer = createObserver(log, metrics)
  const app = createApp({
    reviewer: createFileReviewer(configuration, observer),
    gate,
    observer,
    clock,
    bounds: { maxBodyBytes, longestReview: settings.reviewTimeout },
    closesNow: () => life.isStopping || (closeEvery > 0 && random() < 1 / closeEvery),
  })
  const timeouts = findTimeouts(settings)
  const opsApp = createOpsApp({ life, observer, registry: metrics.registry })
  return {
    log,
    life,
    observer,
    review: createReviewServer({ app, timeouts, observer }, tls.current),
    ops: createOpsServer({ app: opsApp, timeouts, observer }),
  }
}

const createLog = ({ logLevel }: Settings, stdout: DestinationStream): Logger =>
  pino(
    {
      level: logLevel,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stdout,
  )

function createServingMetrics({ tls, policies, namespaces }: Configuration, gate: Gate): Metrics {
  const metrics = createMetrics({
    requests: () => gate.requests,
    bufferedBytes: () => gate.bytes,
    policies: () => policies.current.size,
    namespaces: () => namespaces.current.size,
    certificateExpiry: () => tls.current.notAfter.getTime() / 1000,
  })
  collectDefaultMetrics({ register: metrics.registry })
  return metrics
}

const createFileReviewer = ({ settings, policies, namespaces }: Configuration, observer: Observer) =>
  createReviewer({
    readRulebook: () => ({ policies: policies.current, exemptNamespaces: settings.exemptNamespaces }),
    findNamespace: (name) => namespaces.current.get(name),
    onBroken: observer.broken,
  })

/** A request ends by the application's own deadline and its patience for a rest; the server's comes behind both. */
const findTimeouts = ({ headersTimeout, reviewTimeout, keepAliveTimeout }: Settings): Timeouts => ({
  headers: headersTimeout,
  request: headersTimeout + reviewTimeout + PATIENCE.milliseconds,
  keepAlive: keepAliveTimeout,
})

async function openPorts(
  { review, ops, log }: Pick<Webhook, 'review' | 'ops' | 'log'>,
  { host, port, metricsPort }: Settings,
): Promise<void> {
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
  } catch (error) {
    await close(ops, 0)
    throw error
  }
}
