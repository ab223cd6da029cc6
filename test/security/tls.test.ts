import { connect } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { createTestCertificates, type TestCertificates } from '../support/https/certificates.ts'
import { kindReviewer, type Serving, startServing } from '../support/https/serving.ts'

let certificates: TestCertificates
beforeAll(async () => {
  certificates = await createTestCertificates()
})

/** The cipher that a client of one cipher gets, or the refusal. */
const handshake = ({ origin }: Serving, ciphers: string): Promise<string> =>
  new Promise((resolve) => {
    const isNew = ciphers.startsWith('TLS_')
    const socket = connect(
      {
        host: '127.0.0.1',
        port: Number(new URL(origin).port),
        servername: 'localhost',
        ca: certificates.ca,
        ciphers: isNew ? ciphers : `${ciphers}:@SECLEVEL=0`,
        minVersion: isNew ? 'TLSv1.3' : 'TLSv1.2',
        maxVersion: isNew ? 'TLSv1.3' : 'TLSv1.2',
      },
      () => {
        resolve(socket.getCipher().name)
        socket.destroy()
      },
    )
    socket.on('error', () => resolve('refused'))
  })

test.each([
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
])('%s is spoken', async (cipher) => {
  await using serving = await startServing({ reviewer: kindReviewer, certificates })
  expect(await handshake(serving, cipher)).toBe(cipher)
})

test.each([
  ['without forward secrecy', 'AES128-GCM-SHA256'],
  ['CBC', 'ECDHE-RSA-AES128-SHA256'],
  ['CBC with SHA-1', 'ECDHE-RSA-AES256-SHA'],
  ['plain RSA with CBC', 'AES256-SHA'],
])('%s is not: %s', async (_, cipher) => {
  await using serving = await startServing({ reviewer: kindReviewer, certificates })
  expect(await handshake(serving, cipher)).toBe('refused')
  serving.servePair(certificates)
  expect(await handshake(serving, cipher)).toBe('refused')
})
