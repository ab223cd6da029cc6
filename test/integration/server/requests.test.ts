import { beforeAll, describe, expect, test } from 'vitest'
import type { Reviewer } from '../../../webhook/server/reviewer.ts'
import { createTestCertificates, type TestCertificates } from '../../support/https/certificates.ts'
import { type Client, createClient, type Request } from '../../support/https/client.ts'
import { readMetric } from '../../support/https/metrics.ts'
import { allow, kindReviewer, type Parts, type Serving, startServing } from '../../support/https/serving.ts'

let certificates: TestCertificates
beforeAll(async () => {
  certificates = await createTestCertificates()
})

interface Scene extends AsyncDisposable {
  readonly serving: Serving
  readonly client: Client
  readonly ops: Client
}

async function serve(parts: Partial<Parts> = {}, sockets = 1): Promise<Scene> {
  const serving = await startServing({ reviewer: kindReviewer, certificates, ...parts })
  const client = createClient(serving.origin, { ca: certificates.ca, maxSockets: sockets })
  const ops = createClient(serving.opsOrigin)
  return {
    serving,
    client,
    ops,
    async [Symbol.asyncDispose]() {
      client.close()
      ops.close()
      await serving[Symbol.asyncDispose]()
    },
  }
}

const JSON_TYPE = { 'Content-Type': 'application/json' }
const post = (body: string | Buffer, more: Readonly<Record<string, string>> = {}): Request => ({
  path: '/mutate',
  headers: { ...JSON_TYPE, ...more },
  body,
})

/** A reviewer that waits until told. */
function createSlowReviewer() {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const reviewer: Reviewer = {
    async answer() {
      await released
      return allow('u-1')
    },
  }
  return { reviewer, release }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe('POST /mutate', () => {
  test('answers a review on a connection that is kept', async () => {
    await using scene = await serve()
    const { status, headers, body } = await scene.client.review({})
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ kind: 'AdmissionReview', response: { uid: 'u-1' } })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'keep-alive',
      'keep-alive': 'timeout=100',
    })
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers).not.toHaveProperty('etag')
  })

  test('tells the log and the metrics, and neither holds the body', async () => {
    await using scene = await serve()
    await scene.client.review({ secret: 'hunter2' })
    expect(scene.serving.log.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 30, msg: 'decision', uid: 'u-1', outcome: 'allowed', seconds: expect.any(Number) as number },
    ])
    expect(scene.serving.log.join()).not.toContain('hunter2')
    const labels = 'operation="CREATE",outcome="allowed",dry_run="false"'
    expect(await readMetric(scene.ops, `iops_limit_webhook_reviews_total{${labels}}`)).toBe(1)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_review_duration_seconds_count')).toBe(1)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_requests_in_flight')).toBe(0)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_buffered_bytes')).toBe(0)
  })

  test('counts a pod that was let through by mistake, and logs it as an error', async () => {
    const failed = allow('u-2')
    if (failed.status !== 200) throw new Error('not allowed')
    const record = { ...failed.record, outcome: 'failed', reason: 'an internal error' } as const
    await using scene = await serve({ reviewer: { answer: () => Promise.resolve({ ...failed, record }) } })
    expect((await scene.client.review({})).status).toBe(200)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_failed_open_total')).toBe(1)
    const labels = 'operation="CREATE",outcome="failed",dry_run="false"'
    expect(await readMetric(scene.ops, `iops_limit_webhook_reviews_total{${labels}}`)).toBe(1)
    expect(JSON.parse(scene.serving.log[0] ?? '')).toMatchObject({ level: 50, reason: 'an internal error' })
  })

  const review = JSON.stringify({})
  test.each<[string, Request, number, string]>([
    ['an unknown path', { path: '/', body: review, headers: JSON_TYPE }, 404, 'unknown-path'],
    ['a path in other letters', { path: '/Mutate', body: review, headers: JSON_TYPE }, 404, 'unknown-path'],
    ['a longer path', { path: '/mutate/', body: review, headers: JSON_TYPE }, 404, 'unknown-path'],
    ['a broken escape in the path', { path: '/%zz', body: review, headers: JSON_TYPE }, 404, 'unknown-path'],
    ['GET', { path: '/mutate' }, 405, 'wrong-method'],
    ['PUT', { ...post(review), method: 'PUT' }, 405, 'wrong-method'],
    ['OPTIONS', { path: '/mutate', method: 'OPTIONS' }, 405, 'wrong-method'],
    ['no type', { path: '/mutate', body: review }, 415, 'wrong-content-type'],
    ['another type', post(review, { 'Content-Type': 'application/yaml' }), 415, 'wrong-content-type'],
    [
      'another charset',
      post(review, { 'Content-Type': 'application/json; charset=utf-16' }),
      415,
      'wrong-content-type',
    ],
    ['compression', post(review, { 'Content-Encoding': 'gzip' }), 415, 'wrong-content-encoding'],
    ['no body', post(''), 400, 'empty-body'],
    ['no JSON', post('{"a":'), 400, 'not-json'],
    ['no UTF-8', post(Buffer.from([0x22, 0xff, 0x22])), 400, 'not-utf-8'],
    ['half a character', post(Buffer.from('"ü').subarray(0, 2)), 400, 'not-utf-8'],
  ])('refuses %s, on a connection that is kept', async (_, request, status, reason) => {
    await using scene = await serve()
    const reply = await scene.client.send(request)
    expect(reply.status).toBe(status)
    expect(reply.headers).toMatchObject({ 'content-type': 'application/json', connection: 'keep-alive' })
    expect(JSON.parse(reply.body)).toMatchObject({ error: { reason, message: expect.any(String) as string } })
    const sample = `iops_limit_webhook_rejected_requests_total{reason="${reason}"}`
    expect(await readMetric(scene.ops, sample)).toBe(1)
    expect((await scene.client.review({})).status).toBe(200)
  })

  test('refuses HEAD with the same headers and no body', async () => {
    await using scene = await serve()
    const reply = await scene.client.send({ path: '/mutate', method: 'HEAD' })
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'POST' }, body: '' })
    expect((await scene.client.review({})).status).toBe(200)
  })

  test('tells which field is wrong', async () => {
    const problems = [{ field: 'request.uid', reason: 'is missing', cure: 'send it' }]
    await using scene = await serve({
      reviewer: { answer: () => Promise.resolve({ status: 400, problems }) },
    })
    const reply = await scene.client.review({})
    expect(reply.status).toBe(400)
    expect(reply.body).toBe(
      '{"error":{"reason":"not-a-review","message":"request.uid: is missing; send it"}}\n',
    )
  })

  test('takes a byte order mark, and JSON of any depth', async () => {
    await using scene = await serve()
    expect((await scene.client.send(post('\uFEFF{}'))).status).toBe(200)
    const deep = '['.repeat(1_000_000)
    expect((await scene.client.send(post(deep + ']'.repeat(1_000_000)))).status).toBe(200)
    expect((await scene.client.send(post(deep))).status).toBe(400)
  })

  test('answers 503 and stays up where a mistake of ours gets past the reviewer', async () => {
    await using scene = await serve({ reviewer: { answer: () => Promise.reject(new Error('a bug')) } })
    for (let request = 0; request < 2; request += 1) {
      const reply = await scene.client.review({})
      expect(reply.status).toBe(503)
      expect(JSON.parse(reply.body)).toMatchObject({ error: { reason: 'internal' } })
    }
    expect(scene.serving.log.join()).toContain('Error: a bug\\n    at ')
    expect(scene.serving.gate.requests).toBe(0)
  })

  test('ends the connection where it is told to, and the next request opens another', async () => {
    let answers = 0
    await using scene = await serve({ closesNow: () => ++answers === 2 })
    const connections: unknown[] = []
    for (let request = 0; request < 3; request += 1)
      connections.push((await scene.client.review({})).headers.connection)
    expect(connections).toEqual(['keep-alive', 'close', 'keep-alive'])
  })
})

describe('crowds', () => {
  test('so many reviews at a time, others come again in a second', async () => {
    const { reviewer, release } = createSlowReviewer()
    await using scene = await serve({ reviewer, bounds: { maxRequests: 2 } }, 5)
    const taken = [scene.client.review({}), scene.client.review({})]
    await until(() => scene.serving.gate.requests === 2)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_requests_in_flight')).toBe(2)
    const refused = await scene.client.review({})
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1', connection: 'keep-alive' } })
    expect(JSON.parse(refused.body)).toMatchObject({ error: { reason: 'too-busy' } })
    release()
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200])
    expect((await scene.client.review({})).status).toBe(200)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_rejected_requests_total{reason="too-busy"}')).toBe(
      1,
    )
  })

  test('so many bytes at a time', async () => {
    const { reviewer, release } = createSlowReviewer()
    await using scene = await serve({ reviewer, bounds: { maxBytes: 1000 } }, 5)
    const taken = scene.client.review('x'.repeat(700))
    await until(() => scene.serving.gate.bytes > 700)
    expect((await scene.client.review('x'.repeat(700))).status).toBe(429)
    expect(await readMetric(scene.ops, 'iops_limit_webhook_buffered_bytes')).toBe(702)
    release()
    expect((await taken).status).toBe(200)
    expect((await scene.client.review('x'.repeat(700))).status).toBe(200)
    expect([scene.serving.gate.requests, scene.serving.gate.bytes]).toEqual([0, 0])
  })
})

describe('deadlines', () => {
  test('the caller may ask for less time, and gets 504 past it', async () => {
    const seen: number[] = []
    const { reviewer: slow, release } = createSlowReviewer()
    const reviewer: Reviewer = {
      answer(body, milliseconds) {
        seen.push(milliseconds)
        return slow.answer(body, milliseconds)
      },
    }
    await using scene = await serve({ reviewer })
    const began = performance.now()
    const reply = await scene.client.review({}, '?timeout=80ms')
    expect(performance.now() - began).toBeGreaterThan(75)
    expect(performance.now() - began).toBeLessThan(2000)
    expect(reply.status).toBe(504)
    expect(JSON.parse(reply.body)).toEqual({
      error: {
        reason: 'deadline-exceeded',
        message:
          'no answer within 80 ms: send the body faster, or allow more time (timeoutSeconds, --review-timeout)',
      },
    })
    expect(seen).toEqual([80])
    release()
    expect((await scene.client.review({}, '?timeout=10s')).status).toBe(200)
    const sample = 'iops_limit_webhook_rejected_requests_total{reason="deadline-exceeded"}'
    expect(await readMetric(scene.ops, sample)).toBe(1)
  })

  test.each(['?timeout=1h', '?timeout=never', '?timeout=0s', ''])(
    'but never more than the longest, with %j',
    async (query) => {
      const { reviewer } = createSlowReviewer()
      await using scene = await serve({ reviewer, bounds: { longestReview: 50 } })
      const reply = await scene.client.review({}, query)
      expect(reply.status).toBe(504)
      expect(reply.body).toContain('within 50 ms')
    },
  )

  test('a reviewer that fails after its deadline harms nobody', async () => {
    const reviewer: Reviewer = {
      answer: (_, milliseconds) =>
        new Promise((_resolve, reject) => {
          setTimeout(() => reject(new Error('too late')), milliseconds + 5)
        }),
    }
    await using scene = await serve({ reviewer })
    expect((await scene.client.review({}, '?timeout=10ms')).status).toBe(504)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect((await scene.client.review({}, '?timeout=10ms')).status).toBe(504)
  })
})

describe('the plain port', () => {
  test('tells life, readiness with reasons, and metrics', async () => {
    await using scene = await serve()
    expect(await scene.ops.send({ path: '/healthz' })).toMatchObject({
      status: 200,
      body: '{"alive":true}\n',
    })
    expect(await scene.ops.send({ path: '/readyz' })).toMatchObject({
      status: 503,
      body: '{"ready":false,"reasons":["starting: not listening yet"]}\n',
    })
    scene.serving.life.startServing()
    expect(await scene.ops.send({ path: '/readyz' })).toMatchObject({ status: 200, body: '{"ready":true}\n' })
    scene.serving.life.startStopping('SIGTERM')
    expect(await scene.ops.send({ path: '/readyz' })).toMatchObject({
      status: 503,
      body: '{"ready":false,"reasons":["shutting down: SIGTERM"]}\n',
    })
    expect((await scene.ops.send({ path: '/healthz' })).status).toBe(200)
    const metrics = await scene.ops.send({ path: '/metrics' })
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(metrics.body).toContain('# TYPE iops_limit_webhook_reviews_total counter\n')
  })

  test('refuses the rest in words', async () => {
    await using scene = await serve()
    expect(await scene.ops.send({ path: '/mutate', body: '{}' })).toMatchObject({
      status: 404,
      body: '{"error":{"reason":"unknown-path","message":"there is nothing at \\"/mutate\\": ask for /healthz, /readyz or /metrics"}}\n',
    })
    expect(await scene.ops.send({ path: '/metrics', body: '{}' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    })
  })
})
