/** The two HTTP applications, as values: what is sent to which path, and what comes back. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { Registry } from 'prom-client'
import type { ReadAges } from './clusterMetrics.ts'
import type { Life } from './life.ts'
import type { Observer } from './observer.ts'
import { type Rejection, rejectBroken, rejectMethod, rejectPath } from './rejection.ts'
import { type ClosesNow, formatJson, formatRejection, type Payload, reply } from './reply.ts'
import { type ReviewDeps, review } from './review.ts'
import type { Reviewer } from './reviewer.ts'

export interface AppDeps extends ReviewDeps {
  readonly validator: Reviewer
  readonly observer: Observer
  readonly closesNow: ClosesNow
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

/** `POST /mutate`, `POST /validate`. */
export function createApp(deps: AppDeps): Express {
  const { observer, closesNow } = deps
  const app = createBareApp()
  const doors = findDoors(deps)
  for (const door of doors) app.post(door.path, createHandler(door, deps))
  const reject = answerBy((rejection) => {
    observer.rejected(rejection)
    return formatRejection(rejection)
  }, closesNow)
  app.all(
    doors.map(({ path }) => path),
    reject((req) => rejectMethod(req.method, 'POST')),
  )
  app.use(reject((req) => rejectPath(req.path)))
  app.use(catchAll(observer, closesNow))
  return app
}

function createHandler({ reviewer, tell }: Door, deps: AppDeps): RequestHandler {
  const { observer, closesNow, clock } = deps
  return async (req, res) => {
    const began = clock()
    const outcome = await review(req, req.url, { ...deps, reviewer })
    if (outcome.status === 'gone') return observer.abandoned()
    if (outcome.status === 'rejected') {
      observer.rejected(outcome.rejection)
      return reply(req, res, formatRejection(outcome.rejection), closesNow)
    }
    tell(outcome.record, clock() - began)
    return reply(req, res, formatJson(200, outcome.body), closesNow)
  }
}

export interface OpsDeps {
  readonly life: Life
  readonly registry: Registry
  readonly observer: Observer
  /** Seconds since each watched collection's last sign of life. */
  readonly readAges?: ReadAges
}

/** `/healthz`, `/readyz`, `/metrics`: for the kubelet and for Prometheus. */
export function createOpsApp({ life, registry, observer, readAges = () => ({}) }: OpsDeps): Express {
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
  app.use(catchAll(observer, never))
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

/** Mistakes of ours that nothing nearer caught. Express knows an error handler by its four parameters. */
const catchAll =
  (observer: Observer, closesNow: ClosesNow): ErrorRequestHandler =>
  async (error: unknown, req, res, next) => {
    observer.broken(error)
    observer.rejected(rejectBroken())
    // Too late for an answer: Express ends the connection.
    if (res.headersSent) next(error)
    else await reply(req, res, formatRejection(rejectBroken()), closesNow)
  }
