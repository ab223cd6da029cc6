/** A TCP proxy before an API server, whose connections can fall silent or break as they do in the world. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`; TLS passes through. */
  readonly origin: URL
  /** Connections made so far. */
  readonly connections: number
  /** Those that stand stay open, and not a byte goes through them any more. New ones are well. */
  hang(): void
  /** Ends those that stand, and takes no new ones until {@link open}. */
  cut(): void
  open(): void
}

export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target)
  const pairs = new Set<readonly [Socket, Socket]>()
  let [connections, isOpen] = [0, true]
  const server = createServer((client) => {
    if (!isOpen) {
      client.destroy()
      return
    }
    connections += 1
    const upstream = connect(Number(port), hostname)
    const pair = [client, upstream] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const destroyAll = (): void => {
    for (const socket of [...pairs].flat()) socket.destroy()
  }
  return {
    origin: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`),
    get connections() {
      return connections
    },
    hang() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream).pause()
        upstream.unpipe(client).pause()
      }
    },
    cut() {
      isOpen = false
      destroyAll()
    },
    open() {
      isOpen = true
    },
    async [Symbol.asyncDispose]() {
      destroyAll()
      server.close()
      await once(server, 'close')
    },
  }
}
