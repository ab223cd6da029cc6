import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createKubeClient } from '../../kube/client.ts'
import { createTestCertificates } from '../support/https/certificates.ts'
import { createClient } from '../support/https/client.ts'
import { createWebhookFiles } from '../support/https/files.ts'
import { startWebhook } from '../support/https/webhook.ts'
import { reviewOf } from '../support/reviews.ts'

const SECRET = 'hunter2-c0ffee'

describe('what the webhook logs', () => {
  test('holds no key, no header and nothing of a body but names and limits, whatever goes wrong', async () => {
    await using files = await createWebhookFiles()
    await using webhook = await startWebhook([...files.argv, '--log-level', 'debug'])
    const client = createClient(webhook.origin, { ca: files.ca })
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${SECRET}`, Cookie: SECRET }
    const review = reviewOf({ 'example.com/token': SECRET, 'iops-limit/read-iops': '300' })
    Object.assign(review.request.object ?? {}, {
      spec: {
        containers: [
          {
            name: 'app',
            image: 'app',
            env: [{ name: 'PASSWORD', value: SECRET }],
            args: [`--token=${SECRET}`],
          },
        ],
      },
    })
    const good = JSON.stringify(review)
    const bodies = [
      good,
      good.replace('"kind":"AdmissionReview"', `"kind":"${SECRET}"`),
      good.slice(0, good.indexOf(SECRET) + SECRET.length),
      `${good}${SECRET}`,
      SECRET,
      '',
    ]
    for (const path of ['/mutate', '/validate', `/mutate?timeout=1s&token=${SECRET}`, `/${SECRET}`])
      for (const body of bodies) await client.send({ method: 'POST', path, headers, body })
    await client.send({ path: '/mutate', headers: { ...headers, 'Content-Type': SECRET }, body: good })
    client.close()
    // A stranger's handshake, and the end of the program.
    const other = createClient(webhook.origin, { ca: (await createTestCertificates()).ca })
    await expect(other.review(review)).rejects.toThrow(/certificate/)
    other.close()
    webhook.terminate()
    await webhook.untilLogged(({ msg }) => msg === 'stopping')
    const log = JSON.stringify(webhook.log)
    expect(webhook.log.length).toBeGreaterThan(20)
    expect(log).not.toContain(SECRET)
    const key = readFileSync(join(files.directory, 'tls.key'), 'utf8')
    for (const line of key.split('\n').filter((text) => text.length > 20)) expect(log).not.toContain(line)
  })

  test('a file that is no key is not quoted either', async () => {
    await using files = await createWebhookFiles()
    const argv = files.argv.map((argument) => (argument.endsWith('tls.key') ? files.argv[1] : argument))
    const failure = await startWebhook(argv.filter((argument) => argument !== undefined)).then(
      () => 'it started',
      (error: unknown) => String(error),
    )
    expect(failure).toContain('is not a private key that can be read')
    expect(failure).not.toContain('databases')
  })
})

describe('a failed call to the API server', () => {
  test.each([401, 403, 409, 500, 0])('of status %i tells no token, however it is logged', async (status) => {
    const certificates = await createTestCertificates()
    const server = createServer({ cert: certificates.cert, key: certificates.key }, (req, res) => {
      if (status === 0) req.socket.destroy()
      else
        res.writeHead(status, { 'Content-Type': 'application/json' }).end('{"kind":"Status","message":"no"}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = createKubeClient(
      {
        origin: new URL(`https://127.0.0.1:${port}`),
        readOptions: () =>
          Promise.resolve({
            ca: certificates.ca,
            key: certificates.key,
            cert: certificates.cert,
            headers: { authorization: `Bearer ${SECRET}` },
          }),
      },
      { clock: () => 0 },
    )
    const error: unknown = await client
      .request({ method: 'PATCH', path: '/api/v1/secrets', body: { data: { key: SECRET } } })
      .catch((failure: unknown) => failure)
    server.close()
    expect(error).toBeInstanceOf(Error)
    const lines: string[] = []
    pino({}, { write: (line) => void lines.push(line) }).error({ err: error })
    const told = `${lines.join('')}${inspect(error, { depth: 20, showHidden: true })}`
    expect(told).not.toContain(SECRET)
    expect(told).not.toContain('PRIVATE KEY')
  })
})
