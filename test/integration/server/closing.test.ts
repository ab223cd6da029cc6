/** The end of a server, seen by a client whose next request is on its way already. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { close, listen } from '../../../webhook/server/servers.ts'
import { createTestCertificates } from '../../support/https/certificates.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** Up to the end of the connection, or of one answer. */
async function readAnswer(socket: TLSSocket): Promise<string> {
  const [bytes] = (await Promise.race([
    once(socket, 'data'),
    once(socket, 'close').then(() => ['it was closed']),
  ])) as [Buffer | string]
  return bytes.toString().split('\r\n')[0] ?? ''
}

describe('a server that ends', () => {
  it('answers what has come on a connection that rested, and then ends that too', async () => {
    const { ca, cert, key } = await createTestCertificates()
    const server = createServer({ cert, key }, (_, res) => void res.end('{}'))
    const { port } = await listen(server, { port: 0, host: '127.0.0.1' })
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    socket.write(REQUEST)
    expect(await readAnswer(socket)).toBe('HTTP/1.1 200 OK')
    socket.write(REQUEST)
    const closed = close(server, 60_000)
    expect(await readAnswer(socket)).toBe('HTTP/1.1 200 OK')
    await closed
    await expect.poll(() => socket.closed).toBe(true)
  })
})
