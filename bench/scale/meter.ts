/** A TCP proxy before an API server that counts what goes through it, TLS and all. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Bytes {
  /** To the clients, and from them. */
  readonly down: number
  readonly up: number
}

export interface Meter extends AsyncDisposable {
  readonly port: number
  /** So far. */
  readonly bytes: Bytes
}

export async function startMeter(origin: string): Promise<Meter> {
  const { hostname, port } = new URL(origin)
  const bytes = { down: 0, up: 0 }
  const sockets = new Set<Socket>()
  const join = (from: Socket, to: Socket, way: keyof Bytes): void => {
    sockets.add(from)
    from.on('data', (chunk: Buffer) => (bytes[way] += chunk.length))
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    from.pipe(to)
  }
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    join(client, upstream, 'up')
    join(upstream, client, 'down')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return { ...bytes }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
