/** TLS connections on which a test says every byte itself. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

export interface Wire {
  readonly socket: TLSSocket
  /** All that came back once the server has ended the connection, and after how many milliseconds. */
  readonly ended: Promise<{ readonly text: string; readonly milliseconds: number }>
}

export async function openWire(origin: string, options: ConnectionOptions): Promise<Wire> {
  const began = performance.now()
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(origin).port),
    servername: 'localhost',
    ...options,
  })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<{ text: string; milliseconds: number }>((resolve) => {
    socket.on('close', () =>
      resolve({ text: Buffer.concat(chunks).toString(), milliseconds: performance.now() - began }),
    )
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject)
  })
  socket.on('error', () => undefined)
  return { socket, ended }
}
