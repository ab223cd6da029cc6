/** A client that keeps its connections, and tells everything that came back. */
import { Agent as HttpAgent, type IncomingHttpHeaders, request as requestPlain } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent, request as requestTls } from 'node:https'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Request {
  /** GET, or POST where there is a body. */
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Client {
  /** Rejects where the connection fails before a whole answer. */
  send(request: Request): Promise<Reply>
  /** A POST of JSON to `/mutate`. */
  review(body: unknown, query?: string): Promise<Reply>
  /** Ends the connections. */
  close(): void
}

/** `origin` such as `https://127.0.0.1:8443`, http likewise; by default one connection that is kept. */
export function createClient(origin: string, options: AgentOptions = {}): Client {
  const isTls = origin.startsWith('https:')
  const kept = { keepAlive: true, maxSockets: 1, ...options }
  const agent = isTls ? new HttpsAgent(kept) : new HttpAgent(kept)
  const start = isTls ? requestTls : requestPlain
  const send = ({ method, path = '/', headers = {}, body }: Request): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const sent = start(
        new URL(path, origin),
        { agent, method: method ?? (body === undefined ? 'GET' : 'POST'), headers },
        (res) => {
          const chunks: Buffer[] = []
          res
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('error', reject)
            .on('end', () => {
              const text = Buffer.concat(chunks).toString()
              resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text })
            })
        },
      )
      sent.on('error', reject).end(body)
    })
  return {
    send,
    review: (body, query = '') =>
      send({
        path: `/mutate${query}`,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    close: () => agent.destroy(),
  }
}
