/** Who may send reviews, where they are held to a client certificate. */
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'

/** Whether a request may be reviewed. */
export type ClientCheck = (req: Pick<IncomingMessage, 'socket'>) => boolean

/** The API server shows a certificate to webhooks where its configuration names one (docs/security.md). */
export interface Clients {
  /** PEM. */
  readonly ca: string
  /** Common names, one of which the certificate has; undefined: any that the authority signed. */
  readonly names: readonly string[] | undefined
}

/** A stranger still gets a connection, so that it gets an answer too: Node would but end it. */
export function createClientCheck(clients: Clients | undefined): ClientCheck {
  if (clients === undefined) return () => true
  const { names } = clients
  return ({ socket }) =>
    socket instanceof TLSSocket &&
    socket.authorized &&
    (names === undefined || names.includes(nameOf(socket)))
}

/** Several common names are none of those that are listed. */
const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN)
