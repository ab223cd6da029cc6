/**
 * The HTTP server for those who look: metrics, health, and what stands where. Reads only, and only GET and HEAD; what stands
 * where, only by a token.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { messageOf } from '../../contract/problem.ts'
import type { Access } from '../usage/access.ts'
import type { Page, Query } from './view.ts'

export interface Views {
  /** Text of the exposition format in pieces, with its content type. */
  readonly metrics: () => Pick<Reply, 'type' | 'body'>
  /** Why the loop is not turning, or why it is not enforcing; empty: all is well. */
  readonly findIllness: () => readonly string[]
  readonly findUnreadiness: () => readonly string[]
  /** Undefined where there is nothing to enforce on yet. */
  readonly containers: (query: Query) => Page | undefined
  readonly limits: (query: Query) => Page | undefined
  /** Who may see these two; undefined: everyone who can come here, since only this host can. */
  readonly access: Access | undefined
  /** Before these two are shown: somebody looks. */
  readonly look: () => Promise<void>
}

export function createViewServer(views: Views): Server {
  const server = createServer((request, response) => {
    void attempt(views, request).then((reply) => send(response, reply, request.method === 'HEAD'))
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  server.maxConnections = 64
  return server
}

export interface Reply {
  readonly status: number
  readonly type: string
  /** As a whole, or in pieces. */
  readonly body: string | Iterable<string>
  readonly headers?: Readonly<Record<string, string>>
}

const JSON_TYPE = 'application/json; charset=utf-8'

const json = (status: number, body: unknown): Reply => ({
  status,
  type: JSON_TYPE,
  body: `${JSON.stringify(body)}\n`,
})

async function attempt(views: Views, request: IncomingMessage): Promise<Reply> {
  try {
    return await answer(views, request)
  } catch (error) {
    return json(500, { error: messageOf(error) })
  }
}

async function answer(views: Views, { method, url = '/', headers }: IncomingMessage): Promise<Reply> {
  if (method !== 'GET' && method !== 'HEAD')
    return json(405, { error: `${method ?? ''} is not answered: use GET` })
  const [path = '/', search = ''] = url.split('?', 2)
  switch (path) {
    case '/metrics':
      return { status: 200, ...views.metrics() }
    case '/healthz':
      return health(views.findIllness())
    case '/readyz':
      return health([...views.findIllness(), ...views.findUnreadiness()])
    case '/api/v1/containers':
      return (await refuseStranger(views, headers, path)) ?? page(views, search, views.containers)
    case '/api/v1/limits':
      return (await refuseStranger(views, headers, path)) ?? page(views, search, views.limits)
    default:
      return json(404, {
        error: 'there is no such page: see /metrics, /healthz, /readyz, /api/v1/containers, /api/v1/limits',
      })
  }
}

const health = (reasons: readonly string[]): Reply => ({
  status: reasons.length === 0 ? 200 : 503,
  type: 'text/plain; charset=utf-8',
  body: reasons.length === 0 ? 'ok\n' : `${reasons.join('\n')}\n`,
})

/** Nothing for whoever may look. */
async function refuseStranger(
  { access }: Views,
  headers: IncomingHttpHeaders,
  path: string,
): Promise<Reply | undefined> {
  const verdict = await access?.check(findToken(headers), path)
  if (verdict === undefined || verdict.kind === 'allowed') return undefined
  const { status, reason } = verdict
  return { ...json(status, { error: reason }), ...(status === 401 && { headers: CHALLENGE }) }
}

/** Source: RFC 6750, section 3. */
const CHALLENGE = { 'www-authenticate': 'Bearer realm="iops-limit-enforcer"' }

/** An API server that passes a request on (pods/proxy) keeps its `Authorization` to itself. */
function findToken({ authorization, 'x-iops-limit-token': own }: IncomingHttpHeaders): string | undefined {
  const [, token] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
  return token ?? (typeof own === 'string' && own !== '' ? own : undefined)
}

async function page(
  { look }: Views,
  search: string,
  view: (query: Query) => Page | undefined,
): Promise<Reply> {
  const query = readQuery(new URLSearchParams(search))
  if (typeof query === 'string') return json(400, { error: query })
  await look()
  const found = view(query)
  return found === undefined
    ? json(503, { error: 'there is nothing to enforce on yet: see /readyz' })
    : json(200, found)
}

const LARGEST_PAGE = 500

/** A text is what is wrong with it. */
function readQuery(search: URLSearchParams): Query | string {
  const [namespace, pod] = [search.get('namespace'), search.get('pod')]
  const limit = search.get('limit') ?? '100'
  const token = search.get('continue') || undefined
  if (!/^\d{1,9}$/.test(limit) || Number(limit) < 1 || Number(limit) > LARGEST_PAGE)
    return `limit ${JSON.stringify(limit)} is not a whole number from 1 to ${LARGEST_PAGE}`
  if (token !== undefined && !/^[\w-]{1,2000}$/.test(token))
    return `continue ${JSON.stringify(token.slice(0, 64))} is none that a page gave`
  return {
    limit: Number(limit),
    ...(token !== undefined && { continue: token }),
    ...(namespace !== null && { namespace }),
    ...(pod !== null && { pod }),
  }
}

/** Pieces go one by one: a reader who is slow has the next made only when it has taken the last. */
async function send(
  response: ServerResponse,
  { status, type, body, headers }: Reply,
  isHead: boolean,
): Promise<void> {
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    ...(typeof body === 'string' && { 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  if (isHead || typeof body === 'string') return void response.end(isHead ? undefined : body)
  for (const piece of body) {
    if (response.destroyed) return
    if (!response.write(piece)) await untilDrained(response)
  }
  response.end()
}

/** Or gone. */
const untilDrained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
  })
