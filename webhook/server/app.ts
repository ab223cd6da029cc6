/** The two HTTP applications, as values: what is sent to which path, and what comes back. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { Registry } from 'prom-client'
import type { ClientCheck } from './client.ts'
import type { ReadAges } from './clusterMetrics.ts'
import { createDeadlines } from './headers.ts'
import { type Later, proceed } from './later.ts'
import type { Life } from './life.ts'
import type { Observer } from './observer.ts'
import { type Rejection, rejectBroken, rejectClient, rejectMethod, rejectPath } from './rejection.ts'
import { type ClosesNow, formatJson, formatRejection, type Payload, reply } from './reply.ts'
import { type ReviewDeps, type Reviewing, review } from './review.ts'
import type { Reviewer } from './reviewer.ts'

export interface AppDeps extends ReviewDeps {
  readonly validator: Reviewer
  readonly observer: Observer
  readonly closesNow: ClosesNow
  readonly isClient: ClientCheck
  /** Seconds, from any start. */
  readonly clock: () => number
}

/** What answers which path, and who is told. */
const findDoors = ({ reviewer, validator, observer }: AppDeps): readonly Door[] => [
  { path: '/mutate', reviewer, tell: observer.decided },
  { path: '/validate', reviewer: validator, tell: observer.validated },
]

interface Door {
  readonly path: string
  readonly reviewer: Reviewer
  readonly tell: Observer['decided']
}

/**
 * `POST /mutate`, `POST /validate`: answered at once where the path is that to the letter, since Express's way to a handler takes
 * as long as a decision. All else is Express's to tell apart.
 */
export function createApp(deps: AppDeps): RequestListener {
  const doors = new Map(findDoors(deps).map((door) => [door.path, createHandler(door, deps)]))
  const app = createRoutes(deps, doors)
  return (req, res) => {
    const door = req.method === 'POST' ? doors.get(pathOf(req)) : undefined
    if (door === undefined) app(req, res)
    else door(req, res)
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** The same, and everything that is no review. */
function createRoutes(deps: AppDeps, doors: ReadonlyMap<string, Handler>): Express {
  const { observer, closesNow } = deps
  const app = createBareApp()
  for (const [path, handler] of doors) app.post(path, handler)
  const reject = answerBy((rejection) => {
    observer.rejected(rejection)
    return formatRejection(rejection)
  }, closesNow)
  app.all(
    [...doors.keys()],
    reject((req) => rejectMethod(req.method, 'POST')),
  )
  app.use(reject((req) => rejectPath(req.path)))
  app.use(catchAll(createLastResort(deps.observer, deps.closesNow)))
  return app
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void

function createHandler({ reviewer, tell }: Door, deps: AppDeps): Handler {
  const { observer, rounds, closesNow, isClient, clock, bounds } = deps
  const findMilliseconds = createDeadlines(bounds.longestReview)
  const answerBroken = createLastResort(observer, closesNow)
  const own = { ...deps, reviewer }
  return (req, res) => {
    const began = clock()
    const conclude = (outcome: Reviewing): Later<void> => {
      if (outcome.status === 'gone') return observer.abandoned()
      if (outcome.status === 'rejected') {
        observer.rejected(outcome.rejection)
        return reply(req, res, formatRejection(outcome.rejection), closesNow)
      }
      const seconds = clock() - began
      rounds.tell(() => tell(outcome.record, seconds))
      return reply(req, res, formatJson(200, outcome.body), closesNow)
    }
    const fail = (error: unknown): Promise<void> => answerBroken(error, req, res, () => void res.destroy())
    const finish = (outcome: Later<Reviewing>): void => {
      if (outcome instanceof Promise) return void outcome.then(finish).catch(fail)
      rounds.answer(() => {
        const done = proceed(outcome, conclude)
        if (done instanceof Promise) done.catch(fail)
      })
    }
    if (isClient(req)) review(req, findMilliseconds(req.url ?? ''), own, finish)
    else finish(UNKNOWN_CLIENT)
  }
}

const UNKNOWN_CLIENT: Reviewing = { status: 'rejected', rejection: rejectClient() }

export interface OpsDeps {
  readonly life: Life
  readonly registry: Registry
  readonly observer: Observer
  /** Seconds since each watched collection's last sign of life. */
  readonly readAges?: ReadAges
}

/** `/healthz`, `/readyz`, `/metrics`: for the kubelet and for Prometheus. */
export function createOpsApp(deps: OpsDeps): Express {
  const { life, registry, observer, readAges = () => ({}) } = deps
  const app = createBareApp()
  const never = (): boolean => false
  app.get('/healthz', (req, res) => reply(req, res, formatJson(200, { alive: true }), never))
  app.get('/readyz', (req, res) => reply(req, res, formatReadiness(life.unready, readAges()), never))
  app.get('/metrics', async (req, res) => {
    const text = await registry.metrics()
    return reply(req, res, { status: 200, type: registry.contentType, text }, never)
  })
  const reject = answerBy(formatRejection, never)
  app.all(
    ['/healthz', '/readyz', '/metrics'],
    reject((req) => rejectMethod(req.method, 'GET')),
  )
  app.use(reject((req) => rejectOpsPath(req.path)))
  app.use(catchAll(createLastResort(observer, never)))
  return app
}

function createBareApp(): Express {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.enable('case sensitive routing').enable('strict routing')
  return app.set('query parser', false)
}

/** What is known may be old while the API server is away, and is better than nothing: its age is told, and unready is nobody. */
function formatReadiness(reasons: readonly string[], ages: Readonly<Record<string, number>>): Payload {
  if (reasons.length > 0) return formatJson(503, { ready: false, reasons })
  return formatJson(200, { ready: true, ...(Object.keys(ages).length > 0 && { ages }) })
}

const rejectOpsPath = (path: string): Rejection => ({
  ...rejectPath(path),
  message: `there is nothing at ${JSON.stringify(path.slice(0, 64))}: ask for /healthz, /readyz or /metrics`,
})

/** Handlers that answer with a rejection, each made by what to say. */
const answerBy =
  (format: (rejection: Rejection) => Payload, closesNow: ClosesNow) =>
  (choose: (req: { readonly method: string; readonly path: string }) => Rejection): RequestHandler =>
  (req, res) =>
    reply(req, res, format(choose(req)), closesNow)

/** Mistakes of ours that nothing nearer caught; where it is too late for an answer the connection is ended. */
const createLastResort =
  (observer: Observer, closesNow: ClosesNow) =>
  async (error: unknown, req: IncomingMessage, res: ServerResponse, end: () => void): Promise<void> => {
    observer.broken(error)
    observer.rejected(rejectBroken())
    if (res.headersSent) end()
    else await reply(req, res, formatRejection(rejectBroken()), closesNow)
  }

/** Express knows an error handler by its four parameters. */
const catchAll =
  (answerBroken: ReturnType<typeof createLastResort>): ErrorRequestHandler =>
  (error: unknown, req, res, next) =>
    answerBroken(error, req, res, () => next(error))
