import { beforeAll, expect, test } from 'vitest'
import type { Reviewer } from '../../webhook/server/reviewer.ts'
import { createTestCertificates, type TestCertificates } from '../support/https/certificates.ts'
import { allow, startServing } from '../support/https/serving.ts'
import { openWire } from '../support/https/wire.ts'

let certificates: TestCertificates
beforeAll(async () => {
  certificates = await createTestCertificates()
})

const HEAD = 'POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
/** What a proxy that reads the head otherwise would take for part of the body before it. */
const HIDDEN = `${HEAD}Content-Length: 8\r\n\r\n"hidden"`
const CHUNKED = '2\r\n{}\r\n0\r\n\r\n'

/** All that comes back for these bytes, until the connection ends, and the bodies that reach the reviewer. */
async function send(bytes: string): Promise<{ readonly text: string; readonly seen: readonly unknown[] }> {
  const seen: unknown[] = []
  const reviewer: Reviewer = {
    answer(body) {
      seen.push(body)
      return Promise.resolve(allow('u-1'))
    },
  }
  await using serving = await startServing({ reviewer, certificates })
  const { socket, ended } = await openWire(serving.origin, { ca: certificates.ca })
  socket.write(bytes)
  const { text } = await ended
  return { text, seen }
}

/** RFC 9112, 6.1, 6.3 and 11.2: two readers must never disagree about where a request ends. */
test.each([
  ['a length and chunks', `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`],
  ['chunks and a length', `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n${CHUNKED}`],
  ['two lengths that differ', `${HEAD}Content-Length: 2\r\nContent-Length: 6\r\n\r\n{}`],
  ['a list of lengths', `${HEAD}Content-Length: 2, 6\r\n\r\n{}`],
  ['a length with a sign', `${HEAD}Content-Length: +2\r\n\r\n{}`],
  ['a length in hexadecimal', `${HEAD}Content-Length: 0x2\r\n\r\n{}`],
  ['a blank before the colon', `${HEAD}Content-Length : 2\r\n\r\n{}`],
  ['a folded header', `${HEAD}Content-Length:\r\n 2\r\nX-A: a\r\n b\r\n\r\n{}`],
  ['an encoding of another name', `${HEAD}Transfer-Encoding: xchunked\r\n\r\n${CHUNKED}`],
  ['chunks that are not last', `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKED}`],
  ['a bare line feed in the head', `${HEAD.replaceAll('\r\n', '\n')}Content-Length: 2\n\n{}`],
  ['a NUL in a header', `${HEAD}X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}`],
  [
    'a chunk size that overflows',
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n`,
  ],
  ['a bare line feed behind a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n`],
])('%s: refused, and nothing behind it is read', async (_, bytes) => {
  const { text, seen } = await send(bytes + HIDDEN)
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  expect(statuses.at(-1)).toBe('400')
  expect(seen).not.toContain('hidden')
})

test('headers that are doubled or odd change nothing of what is reviewed', async () => {
  const odd =
    'X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /metrics\r\nX-Forwarded-Host: a\r\n__proto__: b\r\n'
  const { text, seen } = await send(`${HEAD}${odd}Content-Length: 2\r\nConnection: close\r\n\r\n{}`)
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(seen).toEqual([{}])
})
