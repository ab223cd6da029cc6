import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import {
  createFileCertificate,
  createKeptCertificate,
  type Kept,
} from '../../../webhook/server/certificate.ts'
import type { TlsPair } from '../../../webhook/server/tls.ts'
import { createTestCertificates } from '../../support/https/certificates.ts'
import { until } from '../../support/until.ts'

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(milliseconds, 10))
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })

describe('a certificate', () => {
  it('of files is there, and asks for nothing', async () => {
    const pair: TlsPair = { cert: 'c', key: 'k', notAfter: new Date(0) }
    const certificate = createFileCertificate({ current: pair, check: () => Promise.resolve() })
    expect({ pair: certificate.pair, unready: certificate.unready }).toEqual({ pair, unready: [] })
    const serving = { host: '', port: 0, servePair: () => expect.unreachable() }
    await expect(certificate.run(serving, new AbortController().signal)).resolves.toBeUndefined()
  })

  it('that looks after itself is ready once it is served and published', async () => {
    const { ca, cert, key } = await createTestCertificates()
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const stop = new AbortController()
    let keeper: Kept | undefined
    const certificate = createKeptCertificate({
      servername: 'localhost',
      sleep: wait,
      keep: async (told, stopped) => {
        keeper = told
        await once(stopped, 'abort')
      },
    })
    const servePair = (pair: TlsPair): void => server.setSecureContext(pair)
    const ran = certificate.run({ host: '127.0.0.1', port, servePair }, stop.signal)
    expect(certificate).toMatchObject({ pair: undefined, unready: ['certificate: none is published yet'] })
    const pair: TlsPair = { cert, key, notAfter: new Date() }
    keeper?.serve(pair)
    expect(certificate.pair).toBe(pair)
    const other = await createTestCertificates()
    keeper?.published([other.ca])
    await until(() => certificate.unready.join().includes('a handshake with our own port'))
    keeper?.published([other.ca + ca])
    await until(() => certificate.unready.length === 0)
    stop.abort()
    await ran
    server.close()
  })
})
