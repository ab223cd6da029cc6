/** Answers, and what becomes of their connections. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { discardRest } from './body.ts'
import type { Later } from './later.ts'
import type { Rejection } from './rejection.ts'

export interface Payload {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

export const formatJson = (status: number, body: unknown): Payload => ({
  status,
  type: 'application/json',
  text: `${JSON.stringify(body)}\n`,
})

export const formatRejection = ({ status, reason, message, headers = {} }: Rejection): Payload => ({
  ...formatJson(status, { error: { reason, message } }),
  headers,
})

/** Whether the connection ends with the answer that is about to be given. */
export type ClosesNow = () => boolean

/** What a client may still send behind an answer that came before the end of its body. */
export const PATIENCE = { bytes: 4 * 2 ** 20, milliseconds: 1000 }

/**
 * Answers at once, whole. Where the body is still on its way, it is thrown away for a while before the connection closes:
 * a socket that is closed with bytes unread resets the connection, and the client may lose the answer (RFC 9112, 9.6).
 */
export function reply(
  req: IncomingMessage,
  res: ServerResponse,
  { status, type, text, headers = {} }: Payload,
  closesNow: ClosesNow,
): Later<void> {
  if (res.destroyed) return
  const closes = closesNow() || !endsSoon(req)
  const length = Buffer.byteLength(text)
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': length,
    ...headers,
    ...(closes && { Connection: 'close' }),
  })
  if (req.complete) {
    // As text: with the head it is one write, and one record of TLS. ASCII is the same bytes, written faster.
    res.end(text, length === text.length ? 'latin1' : 'utf8')
    return
  }
  res.write(text)
  return discardRest(req, PATIENCE).then((isAll) => {
    if (isAll) res.end()
    else res.destroy()
  })
}

/** The body is here, or its rest is known to be small: then the connection can be kept. */
function endsSoon({ complete, headers }: IncomingMessage): boolean {
  const isUnbounded = headers['transfer-encoding'] !== undefined
  return complete || (!isUnbounded && Number(headers['content-length'] ?? 0) <= PATIENCE.bytes)
}
