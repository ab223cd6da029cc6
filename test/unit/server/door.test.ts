import { once } from 'node:events'
import { type AddressInfo, createServer as createPlainServer } from 'node:net'
import { createServer } from 'node:tls'
import { expect, it } from 'vitest'
import { createDoorWatch } from '../../../webhook/server/door.ts'
import type { Door } from '../../../webhook/server/handshake.ts'
import { createTestCertificates } from '../../support/https/certificates.ts'

it('is open once the port serves what is published, and closed where it does not', async () => {
  const [own, other] = [await createTestCertificates(), await createTestCertificates()]
  const server = createServer({ cert: own.cert, key: own.key }).listen(0, '127.0.0.1')
  const silent = createPlainServer(() => undefined).listen(0, '127.0.0.1')
  await Promise.all([once(server, 'listening'), once(silent, 'listening')])
  const portOf = ({ port }: AddressInfo): number => port
  const port = portOf(server.address() as AddressInfo)
  const door: Door = { host: '127.0.0.1', port, servername: 'localhost', ca: own.ca }
  const doors: (readonly Door[])[] = [
    [],
    [door, { ...door, ca: other.ca }],
    [{ ...door, servername: 'iops-limit.svc' }],
    [{ ...door, port: portOf(silent.address() as AddressInfo) }],
    [{ ...door, port: 1 }],
    [door, { ...door, ca: other.ca + own.ca }],
  ]
  const [seen, pauses, stop] = [[] as unknown[], [] as number[], new AbortController()]
  const watch = createDoorWatch({
    findDoors: () => doors.shift() ?? [],
    sleep: (milliseconds) => {
      seen.push(watch.unready)
      pauses.push(milliseconds)
      if (doors.length === 0) stop.abort()
      return Promise.reject(new Error('ends by whatever way'))
    },
  })
  expect(watch.unready).toEqual(['certificate: none is published yet'])
  await watch.run(stop.signal)
  const fails = 'certificate: a handshake with our own port by what is published fails'
  expect(seen).toEqual([
    ['certificate: none is published yet'],
    [
      `${fails}: unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca`,
    ],
    [
      `${fails}: Hostname/IP does not match certificate's altnames: Host: iops-limit.svc. is not in the cert's altnames: DNS:localhost, IP Address:127.0.0.1`,
    ],
    [`${fails}: no handshake within 2000 ms`],
    [`${fails}: connect ECONNREFUSED 127.0.0.1:1`],
    [],
  ])
  expect(pauses).toEqual([250, 250, 250, 250, 250, 5000])
  for (const open of [server, silent]) open.close()
})
