import { request } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Reviewer } from '../../../webhook/server/reviewer.ts'
import { createTestCertificates, type TestCertificates } from '../../support/https/certificates.ts'
import { createClient } from '../../support/https/client.ts'
import { readMetric } from '../../support/https/metrics.ts'
import { kindReviewer, type Parts, type Serving, startServing } from '../../support/https/serving.ts'
import { openWire, type Wire } from '../../support/https/wire.ts'

let certificates: TestCertificates
beforeAll(async () => {
  certificates = await createTestCertificates()
})

const MiB = 2 ** 20

interface Scene extends AsyncDisposable {
  readonly serving: Serving
  open(): Promise<Wire>
  /** How many requests were rejected for a reason. */
  rejected(reason: string): Promise<number>
  /** A request on a connection of its own is served as ever. */
  serves(): Promise<boolean>
}

async function serve(parts: Partial<Parts> = {}): Promise<Scene> {
  const serving = await startServing({ reviewer: kindReviewer, certificates, ...parts })
  const ops = createClient(serving.opsOrigin)
  return {
    serving,
    open: () => openWire(serving.origin, { ca: certificates.ca }),
    rejected: (reason) => readMetric(ops, `iops_limit_webhook_rejected_requests_total{reason="${reason}"}`),
    async serves() {
      const client = createClient(serving.origin, { ca: certificates.ca })
      const { status } = await client.review({})
      client.close()
      return status === 200
    },
    async [Symbol.asyncDispose]() {
      ops.close()
      await serving[Symbol.asyncDispose]()
    },
  }
}

const HEAD = 'POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

/** Status, reason and whether the connection was announced to end, of one whole answer. */
function readAnswer(text: string): readonly [status: number, reason: string, connection: string | undefined] {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const { error } = JSON.parse(body) as { error: { reason: string } }
  return [Number(head.split(' ')[1]), error.reason, /^connection: (.*)$/im.exec(head)?.[1]?.trim()]
}

describe('bodies that are too large', () => {
  test('8 MiB in chunks: 413 that the client can read, though it sends on', async () => {
    await using scene = await serve()
    const answer = await new Promise<string>((resolve, reject) => {
      const sent = request(
        `${scene.serving.origin}/mutate`,
        { method: 'POST', ca: certificates.ca, headers: { 'Content-Type': 'application/json' } },
        (res) => {
          let text = `${res.statusCode} ${res.headers.connection} `
          res.setEncoding('utf8').on('data', (part: string) => (text += part))
          res.on('end', () => resolve(text)).on('error', reject)
        },
      )
      sent.on('error', reject)
      for (let part = 0; part < 128; part += 1) sent.write('x'.repeat(MiB / 16))
      sent.end()
    })
    expect(answer).toBe(
      '413 close {"error":{"reason":"body-too-large","message":"the body has more than 7340032 bytes: send a smaller object, or raise --max-body-bytes"}}\n',
    )
    expect(await scene.rejected('body-too-large')).toBe(1)
    expect(scene.serving.gate.bytes).toBe(0)
  })

  test('exactly 7 MiB are taken, one byte more is not, with a length or in chunks', async () => {
    await using scene = await serve()
    const client = createClient(scene.serving.origin, { ca: certificates.ca })
    const send = async (bytes: number, chunked: boolean): Promise<number> => {
      const body = `"${'x'.repeat(bytes - 2)}"`
      const type = { 'Content-Type': 'application/json' }
      const headers = chunked ? { ...type, 'Transfer-Encoding': 'chunked' } : type
      return (await client.send({ path: '/mutate', headers, body })).status
    }
    for (const chunked of [false, true]) {
      expect(await send(7 * MiB, chunked)).toBe(200)
      expect(await send(7 * MiB + 1, chunked)).toBe(413)
    }
    client.close()
  })

  test('a length above the bound: 413 before a byte of it', async () => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: ${7 * MiB + 1}\r\n\r\n`)
    const { text, milliseconds } = await ended
    expect(readAnswer(text)).toEqual([413, 'body-too-large', 'close'])
    expect(milliseconds).toBeLessThan(4000)
  })

  test('a length above the bound with Expect: 100-continue is refused too', async () => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Expect: 100-continue\r\nContent-Length: ${8 * MiB}\r\n\r\n`)
    const { text } = await ended
    expect(readAnswer(text.replace('HTTP/1.1 100 Continue\r\n\r\n', ''))[0]).toBe(413)
  })

  test('an endless stream: answered, then cut off, never held', async () => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    let most = 0
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const pump = (): void => {
      most = Math.max(most, scene.serving.gate.bytes)
      if (!socket.destroyed) socket.write(chunk, () => setImmediate(pump))
    }
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
    pump()
    const { text, milliseconds } = await ended
    expect(readAnswer(text)).toEqual([413, 'body-too-large', 'close'])
    expect(milliseconds).toBeLessThan(5000)
    expect(most).toBeGreaterThan(6 * MiB)
    expect(most).toBeLessThanOrEqual(7 * MiB)
    // The bound, the patience for a rest, and what the kernel's buffers hold (net.ipv4.tcp_rmem: up to 32 MiB).
    expect(socket.bytesWritten).toBeLessThan(64 * MiB)
    expect(scene.serving.gate.bytes).toBe(0)
    expect(await scene.serves()).toBe(true)
  })

  test('an endless stream of another type is cut off just so', async () => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    const pump = (): void => {
      if (!socket.destroyed) socket.write(`1000\r\n${'x'.repeat(0x1000)}\r\n`, () => setImmediate(pump))
    }
    socket.write('POST /mutate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    pump()
    const { text, milliseconds } = await ended
    expect(readAnswer(text)).toEqual([415, 'wrong-content-type', 'close'])
    expect(milliseconds).toBeLessThan(5000)
  })
})

describe('clients that take their time', () => {
  test('headers that drip: 408, and the end', async () => {
    await using scene = await serve({ timeouts: { headers: 300, request: 400 } })
    const { socket, ended } = await scene.open()
    socket.write('POST /mutate HTTP/1.1\r\nHost: a\r\n')
    const dripping = setInterval(() => socket.write('X-A: b\r\n'), 50)
    const { text, milliseconds } = await ended
    clearInterval(dripping)
    expect(readAnswer(text)).toEqual([408, 'request-too-slow', 'close'])
    expect(milliseconds).toBeLessThan(3000)
    expect(await scene.rejected('request-too-slow')).toBe(1)
  })

  test('nothing at all: likewise', async () => {
    await using scene = await serve({ timeouts: { headers: 300, request: 400 } })
    const { text, milliseconds } = await (await scene.open()).ended
    expect(readAnswer(text)).toEqual([408, 'request-too-slow', 'close'])
    expect(milliseconds).toBeLessThan(3000)
  })

  test('a handshake that never comes: the end', async () => {
    await using scene = await serve({ timeouts: { headers: 300, request: 400 } })
    const began = performance.now()
    const socket = connect(Number(new URL(scene.serving.origin).port), '127.0.0.1')
    await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined))
    expect(performance.now() - began).toBeLessThan(3000)
    expect(await scene.rejected('tls-handshake')).toBe(1)
  })

  test('a body that drips: 504 at the deadline, and the end', async () => {
    await using scene = await serve({ bounds: { longestReview: 300 } })
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: 100\r\n\r\n`)
    const dripping = setInterval(() => socket.write('x'), 50)
    const { text, milliseconds } = await ended
    clearInterval(dripping)
    expect(readAnswer(text)).toEqual([504, 'deadline-exceeded', 'close'])
    expect(milliseconds).toBeLessThan(3000)
    expect(scene.serving.gate.requests).toBe(0)
  })

  test('as many as there are places, which send no body, keep no review out for longer than a second', async () => {
    await using scene = await serve({ bounds: { maxRequests: 5 } })
    const wires = await Promise.all(Array.from({ length: 5 }, () => scene.open()))
    for (const { socket } of wires) socket.write(`${HEAD}Content-Length: 100\r\n\r\nx`)
    while (scene.serving.gate.requests < 5) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await scene.serves()).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await scene.serves()).toBe(true)
    const first = await Promise.race(wires.map(({ ended }) => ended))
    expect(readAnswer(first.text)).toEqual([429, 'too-busy', 'close'])
    expect(scene.serving.gate.requests).toBe(4)
    for (const { socket } of wires) socket.destroy()
  })

  test('as many bytes as there is room for, on their way, neither', async () => {
    await using scene = await serve({ bounds: { maxBytes: 1000 } })
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: 1001\r\n\r\n${'x'.repeat(1000)}`)
    while (scene.serving.gate.bytes < 1000) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await scene.serves()).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await scene.serves()).toBe(true)
    expect(readAnswer((await ended).text)).toEqual([429, 'too-busy', 'close'])
  })

  test('many of them keep nobody else waiting', async () => {
    await using scene = await serve({ bounds: { longestReview: 1500 } })
    const wires = await Promise.all(Array.from({ length: 50 }, () => scene.open()))
    for (const { socket } of wires) socket.write(`${HEAD}Content-Length: 100\r\n\r\nx`)
    expect(await scene.serves()).toBe(true)
    const answers = await Promise.all(wires.map(({ ended }) => ended))
    expect(new Set(answers.map(({ text }) => readAnswer(text)[0]))).toEqual(new Set([504]))
  })

  test('an idle connection is kept for its time, and then ended', async () => {
    await using scene = await serve({ timeouts: { keepAlive: 500 } })
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: 2\r\n\r\n{}`)
    const { text, milliseconds } = await ended
    expect(text).toContain('HTTP/1.1 200 OK')
    expect(milliseconds).toBeGreaterThan(450)
    expect(milliseconds).toBeLessThan(5000)
  })

  test('silence on both sides ends some time, whatever the reason', async () => {
    const reviewer: Reviewer = { answer: () => new Promise(() => undefined) }
    await using scene = await serve({ reviewer, timeouts: { headers: 200, request: 300, keepAlive: 300 } })
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: 2\r\n\r\n{}`)
    expect((await ended).milliseconds).toBeLessThan(5000)
  })

  test('a client that leaves in the middle gives its place back', async () => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: 100\r\n\r\nx`)
    while (scene.serving.gate.bytes === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    socket.destroy()
    await ended
    while (scene.serving.gate.requests > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(scene.serving.gate.bytes).toBe(0)
    expect(await scene.rejected('client-gone')).toBe(1)
  })
})

describe('what is not HTTP', () => {
  test.each([
    ['noise', 'hello\r\n\r\n', 400, 'not-http'],
    ['an unknown method', 'BREW /mutate HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'not-http'],
    ['a negative length', `${HEAD}Content-Length: -1\r\n\r\n`, 400, 'not-http'],
    ['two lengths', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, 'not-http'],
    [
      'a length and chunks',
      `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'not-http',
    ],
    ['a chunk that is none', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, 'not-http'],
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 404, 'unknown-path'],
    ['an expectation', 'GET / HTTP/1.1\r\nExpect: a\r\nConnection: close\r\n\r\n', 404, 'unknown-path'],
    ['a header of 20 KB', `${HEAD}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'wrong-method'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'not-http'],
  ])('%s: %#', async (_, bytes, status, reason) => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    socket.write(bytes)
    const { text } = await ended
    expect(readAnswer(text)).toEqual([status, reason, 'close'])
    expect(await scene.serves()).toBe(true)
  })

  test('plain HTTP on the TLS port: the connection ends, and is counted', async () => {
    await using scene = await serve()
    const socket = connect(Number(new URL(scene.serving.origin).port), '127.0.0.1')
    socket.write(`${HEAD}\r\n`)
    await new Promise((resolve) =>
      socket
        .on('close', resolve)
        .on('error', () => undefined)
        .resume(),
    )
    expect(await scene.rejected('tls-handshake')).toBe(1)
    expect(await scene.serves()).toBe(true)
  })

  test('a client that trusts another authority leaves, and harms nobody', async () => {
    await using scene = await serve()
    const stranger = await createTestCertificates()
    const client = createClient(scene.serving.origin, { ca: stranger.ca })
    await expect(client.review({})).rejects.toThrow(/certificate/)
    await expect(openWire(scene.serving.origin, { ca: stranger.ca })).rejects.toThrow(/certificate/)
    expect(await scene.serves()).toBe(true)
  })

  test('requests in a row without waiting are answered in their order', async () => {
    await using scene = await serve()
    const { socket, ended } = await scene.open()
    socket.write(`${HEAD}Content-Length: 2\r\n\r\n{}`.repeat(20))
    socket.write('GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const { text } = await ended
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 404])
  })
})

describe('TLS', () => {
  const handshake = (origin: string, version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls(
        {
          host: '127.0.0.1',
          port: Number(new URL(origin).port),
          ca: certificates.ca,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT:@SECLEVEL=0',
        },
        () => {
          resolve(String(socket.getProtocol()))
          socket.destroy()
        },
      )
      socket.on('error', (error: Error) => resolve(error.message))
    })

  test('speaks 1.2 and 1.3 and nothing older', async () => {
    await using scene = await serve()
    expect(await handshake(scene.serving.origin, 'TLSv1.3')).toBe('TLSv1.3')
    expect(await handshake(scene.serving.origin, 'TLSv1.2')).toBe('TLSv1.2')
    expect(await handshake(scene.serving.origin, 'TLSv1.1')).toMatch(/alert protocol version/)
    expect(await handshake(scene.serving.origin, 'TLSv1')).toMatch(/alert protocol version/)
  })

  test('also once the certificate was exchanged', async () => {
    await using scene = await serve()
    scene.serving.servePair(certificates)
    expect(await handshake(scene.serving.origin, 'TLSv1.1')).toMatch(/alert protocol version/)
    expect(await handshake(scene.serving.origin, 'TLSv1.2')).toBe('TLSv1.2')
  })
})
