/** One request and the head of its answer, over connections that are kept. */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, type AgentOptions, type RequestOptions, request as requestHttps } from 'node:https'

/** Where the server is and how it is met; the options are asked for at each request, since tokens and files rotate. */
export interface Connection {
  /** `https://10.0.0.1:443`, with a path where the server stands below one. */
  readonly origin: URL
  /** TLS options and headers, those of authorization among them. */
  readonly readOptions: () => Promise<CallOptions>
}

/** A connection is kept for as long as these are the same, `checkServerIdentity` as a function too; headers may differ. */
export type CallOptions = Omit<RequestOptions, 'headers' | 'checkServerIdentity'> & {
  readonly headers?: OutgoingHttpHeaders
  readonly checkServerIdentity?: Check
}

type Check = AgentOptions['checkServerIdentity']

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/api/v1/namespaces`, each name in it by `encodeURIComponent`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** `application/json` where it is left out. */
  readonly contentType?: PatchType
  readonly signal: AbortSignal
}

export type PatchType =
  | 'application/merge-patch+json'
  | 'application/json-patch+json'
  | 'application/apply-patch+yaml'

/** The answer, whatever its status, whose body has yet to come; rejects where none came. */
export type Exchange = (sent: Sent) => Promise<IncomingMessage>

export function createExchange({ origin, readOptions }: Connection): Exchange {
  const findAgent = createAgents()
  return async (sent) => {
    const { headers, checkServerIdentity, ...options } = await readOptions()
    const call: Call = {
      ...{ sent, url: findUrl(origin, sent), body: encodeBody(sent) },
      options: { agent: findAgent(checkServerIdentity), ...options },
      headers,
    }
    for (;;) {
      const answer = await attempt(call)
      if (answer !== undefined) return answer
    }
  }
}

type FindAgent = (check: Check) => Agent

/**
 * Node keeps no connection that a request checked by a function of its own, but those that the agent's function checked. So there is an
 * agent for the function that was brought last.
 */
function createAgents(): FindAgent {
  let last: { readonly check: Check; readonly agent: Agent } | undefined
  return (check) => {
    if (last === undefined || last.check !== check) last = { check, agent: createAgent(check) }
    return last.agent
  }
}

const createAgent = (check: Check): Agent =>
  new Agent({
    ...{ keepAlive: true, maxCachedSessions: 0 },
    ...(check !== undefined && { checkServerIdentity: check }),
  })

interface Call {
  readonly sent: Sent
  readonly url: URL
  readonly body: Buffer | undefined
  readonly options: RequestOptions
  readonly headers: OutgoingHttpHeaders | undefined
}

/** Undefined: it is worth another attempt, over the next kept connection or, where none is left, a new one. */
async function attempt({ sent, url, body, options, headers }: Call): Promise<IncomingMessage | undefined> {
  return await new Promise((resolve, reject) => {
    const request = requestHttps(
      url,
      {
        ...options,
        method: sent.method,
        signal: sent.signal,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': 'iops-limit',
          ...(body && {
            'content-type': sent.contentType ?? 'application/json',
            'content-length': String(body.length),
          }),
        },
      },
      resolve,
    )
    request.on('error', (error) => (isStale(request, error) ? resolve(undefined) : reject(error)))
    request.end(body)
  })
}

/**
 * The server ended a connection that rested just as it was taken. Only what asks and changes nothing is sent again.
 * Source: https://nodejs.org/api/http.html#requestreusedsocket
 */
const isStale = ({ reusedSocket, method }: ClientRequest, error: Error): boolean =>
  reusedSocket && method === 'GET' && 'code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code))

const encodeBody = ({ body }: Sent): Buffer | undefined =>
  body === undefined ? undefined : Buffer.from(JSON.stringify(body))

function findUrl(origin: URL, { path, query }: Pick<Sent, 'path' | 'query'>): URL {
  const url = new URL(`${origin.pathname.replace(/\/$/, '')}${path}`, origin)
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value)
  return url
}
