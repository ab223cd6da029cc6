/** What a Service does, as a TCP proxy: new connections go to replicas that were ready a moment ago; old ones stay. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createClient } from '../https/client.ts'
import type { WebhookProcess } from '../https/webhook.ts'

export interface Balancer extends AsyncDisposable {
  readonly port: number
  add(replica: WebhookProcess): void
  /** As when the pod is gone. */
  remove(replica: WebhookProcess): void
  /** How many take traffic. */
  readonly ready: number
}

/** Milliseconds between two looks at a replica's readiness. Kubernetes takes seconds; the order of events is the same. */
const PERIOD = 200

export async function startBalancer(): Promise<Balancer> {
  const replicas = new Set<WebhookProcess>()
  let ready: readonly WebhookProcess[] = []
  const look = async (): Promise<void> => {
    const seen = await Promise.all([...replicas].map(async (one) => ((await isReady(one)) ? [one] : [])))
    ready = seen.flat().filter((one) => replicas.has(one))
  }
  const looking = setInterval(() => void look(), PERIOD)
  let turn = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const target = ready[turn++ % ready.length]
    if (target === undefined) {
      client.destroy()
      return
    }
    join(client, connect(Number(new URL(target.origin).port), '127.0.0.1'), sockets)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    add: (replica) => void replicas.add(replica),
    remove(replica) {
      replicas.delete(replica)
      ready = ready.filter((one) => one !== replica)
    },
    get ready() {
      return ready.length
    },
    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function isReady({ opsOrigin }: WebhookProcess): Promise<boolean> {
  const client = createClient(opsOrigin)
  const isSo = await client.send({ path: '/readyz' }).then(
    ({ status }) => status === 200,
    () => false,
  )
  client.close()
  return isSo
}

function join(client: Socket, upstream: Socket, sockets: Set<Socket>): void {
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
  }
  client.pipe(upstream).pipe(client)
}
