/**
 * Calls to the API server, or to a kubelet: JSON in, JSON out, and the lines of a watch.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { KubeError } from './error.ts'
import { type Connection, createExchange, type Exchange, type Sent } from './exchange.ts'
import { readLines, readText } from './stream.ts'

export type { CallOptions, Connection, PatchType } from './exchange.ts'

export interface KubeRequest extends Omit<Sent, 'signal'> {
  /** Milliseconds until an answer must be whole; 15,000 where it is left out. */
  readonly timeout?: number
  /** Makes something else than parsed JSON of the body of a 2xx answer. */
  readonly read?: (body: Readable) => Promise<unknown>
  readonly signal?: AbortSignal
}

export interface KubeClient {
  /** The parsed body of a 2xx answer. Throws a {@link KubeError} for any other, and where none came. */
  request(request: KubeRequest): Promise<unknown>
  /**
   * The lines of a watch as they come, until the server ends it or the signal aborts (both end the iteration quietly).
   * Throws a {@link KubeError} where the server refuses it or the connection breaks. Silence is the caller's to judge.
   */
  watch(request: WatchRequest): AsyncIterable<string>
}

export type WatchRequest = Pick<KubeRequest, 'path' | 'query'> & {
  readonly signal: AbortSignal
  /** Called once the server has agreed to tell; the first line may come much later. */
  readonly onOpen?: () => void
}

/** One call, told when it has ended; `status` 0: no answer came. */
export interface Call {
  readonly method: string
  /** Whether it asked for a watch; its time ends where the first line could come. */
  readonly watches: boolean
  /** Without query. */
  readonly path: string
  readonly status: number
  readonly seconds: number
}

export interface KubeClientDeps {
  readonly clock: () => number
  /** For metrics. */
  readonly onCall?: (call: Call) => void
}

const TIMEOUT = 15_000

export function createKubeClient(connection: Connection, deps: KubeClientDeps): KubeClient {
  const sender: Sender = { exchange: createExchange(connection), deps }
  return {
    async request({ timeout = TIMEOUT, signal, read, ...rest }) {
      const late = AbortSignal.timeout(timeout)
      const ended = signal === undefined ? late : AbortSignal.any([signal, late])
      try {
        const answer = await send(sender, { ...rest, signal: ended })
        return read === undefined ? parseJson(await readText(answer), describe(rest)) : await read(answer)
      } catch (error) {
        throw late.aborted ? createLate(rest, timeout) : toKubeError(error, rest)
      }
    },
    async *watch({ signal, onOpen, ...rest }) {
      try {
        const answer = await send(sender, { method: 'GET', ...rest, signal })
        onOpen?.()
        yield* readLines(answer)
      } catch (error) {
        if (!signal.aborted) throw toKubeError(error, { method: 'GET', ...rest })
      }
    },
  }
}

interface Sender {
  readonly exchange: Exchange
  readonly deps: KubeClientDeps
}

/** A 2xx answer whose body has yet to come. */
async function send({ exchange, deps }: Sender, sent: Sent): Promise<IncomingMessage> {
  const began = deps.clock()
  const tell = (status: number): void =>
    deps.onCall?.({
      method: sent.method,
      watches: sent.query?.['watch'] === 'true',
      path: sent.path,
      status,
      seconds: deps.clock() - began,
    })
  try {
    const answer = await exchange(sent)
    const { statusCode = 0 } = answer
    tell(statusCode)
    if (statusCode >= 200 && statusCode < 300) return answer
    throw createRefusal(sent, answer, await readText(answer))
  } catch (error) {
    if (!(error instanceof KubeError)) tell(0)
    throw error
  }
}

type Named = Pick<KubeRequest, 'method' | 'path'>

const describe = ({ method, path }: Named): string => `${method} ${path}`

/** The server's own words, of its Status object where it sent one. */
function createRefusal(named: Named, { statusCode = 0, headers }: IncomingMessage, text: string): KubeError {
  const { reason, message } = readStatus(text)
  const seconds = Number(headers['retry-after'])
  return new KubeError(
    `${describe(named)}: ${message ?? (text.slice(0, 200) || 'no word')} (HTTP ${statusCode})`,
    {
      status: statusCode,
      reason: reason ?? REASONS[statusCode] ?? 'Unknown',
      ...(seconds > 0 && { retryAfter: seconds * 1000 }),
    },
  )
}

/** What a kubelet or a proxy says without a Status object. */
const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Gone',
  429: 'TooManyRequests',
}

function readStatus(text: string): { readonly reason?: string; readonly message?: string } {
  try {
    const status: unknown = JSON.parse(text)
    if (typeof status !== 'object' || status === null) return {}
    const { reason, message } = status as { readonly reason?: unknown; readonly message?: unknown }
    return {
      ...(typeof reason === 'string' && reason !== '' && { reason }),
      ...(typeof message === 'string' && message !== '' && { message }),
    }
  } catch {
    return {}
  }
}

function parseJson(text: string, call: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new KubeError(`${call}: the answer is not JSON`, { status: 200, reason: 'Unreadable', cause })
  }
}

const createLate = (named: Named, timeout: number): KubeError =>
  new KubeError(`${describe(named)}: no whole answer within ${timeout} ms`, { status: 0, reason: 'Timeout' })

function toKubeError(error: unknown, named: Named): KubeError {
  if (error instanceof KubeError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new KubeError(`${describe(named)}: ${message}`, { status: 0, reason: 'Unreachable', cause: error })
}
