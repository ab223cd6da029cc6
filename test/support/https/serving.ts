/** The webhook's HTTPS server within the test's own process, with parts exchanged. */
import type { RequestListener } from 'node:http'
import { pino } from 'pino'
import { createAlarm, wake } from '../../../webhook/server/alarm.ts'
import { createApp, createOpsApp } from '../../../webhook/server/app.ts'
import { type Clients, createClientCheck } from '../../../webhook/server/client.ts'
import { createGate, type Gate, type GateLimits } from '../../../webhook/server/gate.ts'
import { createLife, type Life } from '../../../webhook/server/life.ts'
import { createMetrics } from '../../../webhook/server/metrics.ts'
import { createObserver, type Observer } from '../../../webhook/server/observer.ts'
import type { ReviewBounds } from '../../../webhook/server/review.ts'
import type { Reviewer } from '../../../webhook/server/reviewer.ts'
import { createRounds } from '../../../webhook/server/rounds.ts'
import {
  close,
  createOpsServer,
  createReviewServer,
  formatOrigin,
  listen,
  type Timeouts,
  tlsOptions,
} from '../../../webhook/server/servers.ts'
import { parseTlsPair, type TlsPair } from '../../../webhook/server/tls.ts'
import type { TestCertificates } from './certificates.ts'

export interface Parts {
  readonly reviewer: Reviewer
  /** The reviewer of both paths where it is left out. */
  readonly validator?: Reviewer
  readonly certificates: TestCertificates
  readonly bounds?: Partial<ReviewBounds & GateLimits>
  readonly timeouts?: Partial<Timeouts>
  readonly closesNow?: () => boolean
  /** Anybody may send reviews where it is left out. */
  readonly clients?: Clients
  /** A free one where it is left out. */
  readonly port?: number
  /** Exchanges what the observer does. */
  readonly observe?: (observer: Observer) => Observer
}

export interface Serving extends AsyncDisposable {
  readonly origin: string
  readonly opsOrigin: string
  readonly gate: Gate
  readonly life: Life
  /** Lines of JSON. */
  readonly log: readonly string[]
  servePair(certificates: TestCertificates): void
}

export interface Apps {
  readonly app: RequestListener
  readonly opsApp: RequestListener
  readonly observer: Observer
  readonly gate: Gate
  readonly life: Life
  readonly log: readonly string[]
}

/** The two applications without a socket. */
export function createApps(parts: Omit<Parts, 'certificates' | 'timeouts'>): Apps {
  const { maxBodyBytes = 7 * 2 ** 20, longestReview = 10_000, ...limits } = parts.bounds ?? {}
  const log: string[] = []
  const gate = createGate({ maxRequests: 100, maxBytes: 64 * 2 ** 20, ...limits }, clock)
  const life = createLife()
  const metrics = createMetrics({
    requests: () => gate.requests,
    bufferedBytes: () => gate.bytes,
    policies: () => [],
    refusedPolicies: () => 0,
    ages: () => ({}),
    namespaces: () => 0,
    certificateExpiry: () => 0,
  })
  const plain = createObserver(pino({ base: null }, { write: (line) => void log.push(line) }), metrics)
  const observer = parts.observe?.(plain) ?? plain
  const app = createApp({
    reviewer: parts.reviewer,
    validator: parts.validator ?? parts.reviewer,
    gate,
    alarm: createAlarm({ clock, wake }),
    rounds: createRounds({ later: setImmediate, onBroken: observer.broken }),
    observer,
    bounds: { maxBodyBytes, longestReview },
    closesNow: parts.closesNow ?? (() => false),
    isClient: createClientCheck(parts.clients),
    clock,
  })
  const opsApp = createOpsApp({ life, observer, registry: metrics.registry })
  return { app, opsApp, observer, gate, life, log }
}

const clock = (): number => performance.now() / 1000

export async function startServing(parts: Parts): Promise<Serving> {
  const { app, opsApp, observer, gate, life, log } = createApps(parts)
  const timeouts = { headers: 5000, request: 20_000, keepAlive: 100_000, ...parts.timeouts }
  const review = createReviewServer(
    { app, timeouts, observer, clock },
    pairOf(parts.certificates),
    parts.clients?.ca,
  )
  const ops = createOpsServer({ app: opsApp, timeouts, observer, clock })
  return {
    origin: formatOrigin('https', await listen(review, { host: '127.0.0.1', port: parts.port ?? 0 })),
    opsOrigin: formatOrigin('http', await listen(ops, { host: '127.0.0.1', port: 0 })),
    gate,
    life,
    log,
    servePair: (certificates) => review.setSecureContext(tlsOptions(pairOf(certificates), parts.clients?.ca)),
    async [Symbol.asyncDispose]() {
      await Promise.all([close(review, 0), close(ops, 0)])
    },
  }
}

function pairOf({ cert, key }: TestCertificates): TlsPair {
  const parsed = parseTlsPair([
    { name: 'tls.crt', text: cert },
    { name: 'tls.key', text: key },
  ])
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

/** Lets every pod through at once. */
export const kindReviewer: Reviewer = {
  answer: () => Promise.resolve(allow('u-1')),
}

export const allow = (uid: string): Awaited<ReturnType<Reviewer['answer']>> => ({
  status: 200,
  body: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } },
  record: {
    uid,
    operation: 'CREATE',
    resource: 'pods',
    namespace: 'team',
    name: 'web',
    dryRun: false,
    outcome: 'allowed',
    defaulted: [],
    violations: [],
    warnings: 0,
  },
})
