/** HTTP servers with every timeout set, and how they start and end. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  STATUS_CODES,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { SecureContextOptions } from 'node:tls'
import type { Observer } from './observer.ts'
import { type Rejection, rejectHttp, rejectMethod } from './rejection.ts'
import { formatRejection, type Payload } from './reply.ts'
import type { TlsPair } from './tls.ts'
import { createUnanswered } from './unanswered.ts'

/** Milliseconds. */
export interface Timeouts {
  /** For a TLS handshake, and for the headers of a request. */
  readonly headers: number
  /** For a whole request: the last resort, past every deadline of the application. */
  readonly request: number
  readonly keepAlive: number
}

export interface ServerDeps {
  readonly app: RequestListener
  readonly timeouts: Timeouts
  readonly observer: Observer
  /** Seconds, from any start. */
  readonly clock: () => number
}

/** How late a timeout may act. Node's default is half a minute. */
const CHECK_INTERVAL = 1000

export function createOpsServer(deps: ServerDeps): Server {
  const server = createServer(optionsOf(deps.timeouts))
  complete(server, deps)
  return server
}

/** Without a pair no handshake succeeds until `setSecureContext` brings one. */
export function createReviewServer(
  deps: ServerDeps,
  pair: TlsPair | undefined,
  clientCa?: string,
): TlsServer {
  const server = createTlsServer({
    ...optionsOf(deps.timeouts),
    ...(pair && tlsOptions(pair, clientCa)),
    // Who shows none, or another's, gets an answer that says so (client.ts).
    ...(clientCa !== undefined && { requestCert: true, rejectUnauthorized: false }),
    handshakeTimeout: deps.timeouts.headers,
  })
  complete(server, deps)
  return server
}

/** For `setSecureContext` too, which forgets what it is not told again. */
export const tlsOptions = ({ cert, key }: TlsPair, clientCa?: string): SecureContextOptions => ({
  cert,
  key,
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS,
  ...(clientCa !== undefined && { ca: clientCa }),
})

/**
 * Forward secrecy and authenticated encryption only, for 1.3 and 1.2: what Go, and so every API server, offers first. Node's own
 * list would take CBC and plain RSA, too.
 */
const CIPHERS = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
].join(':')

const optionsOf = (timeouts: Timeouts): object => ({
  headersTimeout: timeouts.headers,
  requestTimeout: Math.max(timeouts.request, timeouts.headers),
  keepAliveTimeout: timeouts.keepAlive,
  connectionsCheckingInterval: Math.min(CHECK_INTERVAL, timeouts.headers),
  // Node would refuse it with an empty body; nothing here goes by it.
  requireHostHeader: false,
})

/** What Node answers with an empty body, or resets, gets the same JSON as everything else. */
function complete(server: Server | TlsServer, { app, timeouts, observer, clock }: ServerDeps): void {
  const answers = createUnanswered(Math.max(timeouts.keepAlive, timeouts.request) / 1000, clock)
  const sweeping = setInterval(answers.sweep, CHECK_INTERVAL).unref()
  server.on('close', () => clearInterval(sweeping))
  const answer: RequestListener = (req, res) => {
    answers.add(req, res)
    app(req, res)
  }
  server.on('request', answer)
  // An expectation other than 100-continue may be passed over (RFC 9110, 10.1.1).
  server.on('checkExpectation', answer)
  server.on('connect', ({ method = '' }: IncomingMessage, socket: Duplex) => {
    const rejection = rejectMethod(method, 'POST')
    observer.rejected(rejection)
    endWith(socket, rejection)
  })
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket: Duplex) => {
    const latest = answers.find(socket)
    if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) observer.tlsFailed(code)
    const isHttp = /^(HPE_|ERR_HTTP_)/.test(code)
    if (!isHttp || !socket.writable || (latest?.headersSent === true && !latest.writableFinished)) {
      socket.destroy()
      return
    }
    const rejection = rejectHttp(code)
    observer.rejected(rejection)
    endWith(socket, rejection)
  })
}

/** For what never becomes a request. */
const endWith = (socket: Duplex, rejection: Rejection): void =>
  void socket.on('error', () => undefined).end(formatRaw(formatRejection(rejection)), () => socket.destroy())

function formatRaw({ status, type, text, headers = {} }: Payload): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${text}`
}

export interface Endpoint {
  readonly port: number
  /** Undefined: every address. */
  readonly host: string | undefined
}

/** Rejects where the address cannot be had. */
export function listen(server: Server | TlsServer, { port, host }: Endpoint): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new TypeError('not a TCP address'))
      else resolve(address)
    })
  })
}

/**
 * Takes no more connections, ends the idle ones, and gives the others so many milliseconds. What has come on a connection that rests
 * is read first: Node ends it by what it has read, and a caller who had sent a request would get a reset for an answer.
 */
export async function close(server: Server | TlsServer, milliseconds: number): Promise<void> {
  // Sockets are read between one of these and the next.
  await setImmediate()
  await setImmediate()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), milliseconds)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** As a client may call it; from here where the server listens on every address. */
export function formatOrigin(scheme: 'http' | 'https', info: AddressInfo): string {
  const host = findOwnHost(info)
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${info.port}`
}

/** An address by which we reach ourselves. */
export const findOwnHost = ({ address }: AddressInfo): string =>
  address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address
