/** A handshake with our own port, as the API server makes it. */
import { connect } from 'node:tls'

export interface Door {
  readonly host: string
  readonly port: number
  /** By which name the webhook is called: `iops-limit-webhook.iops-limit.svc`. */
  readonly servername: string
  /** PEM, as it is published: whom the API server trusts. */
  readonly ca: string
}

/** Milliseconds. */
const PATIENCE = 2000

/** Undefined where the served certificate is for that name and verifies; else why not, as a phrase. */
export function tryHandshake({ host, port, servername, ca }: Door): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = (why: string | undefined): void => {
      socket.destroy()
      resolve(why)
    }
    const socket = connect({ host, port, servername, ca, timeout: PATIENCE }, () => end(undefined))
    socket.once('error', (error: Error) => end(error.message))
    socket.once('timeout', () => end(`no handshake within ${PATIENCE} ms`))
  })
}
