/** `review --server`: the same reviews, asked of a live webhook. */

import { writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFolder, GOLD, podText } from '../../support/cli/folder.ts'
import { type Ended, runCommand } from '../../support/cli/run.ts'
import { createTestCertificates, type TestCertificates } from '../../support/https/certificates.ts'
import { createWebhookFiles, type WebhookFiles } from '../../support/https/files.ts'
import { startWebhook, type WebhookProcess } from '../../support/https/webhook.ts'
import { policyText } from '../../support/policies.ts'

const inRec = (annotations: string, name = 'p'): string =>
  podText(annotations, name).replace('namespace: team', 'namespace: rec')

const MANIFEST = [
  inRec('{}'),
  inRec('{iops-limit/limit: "9000"}'),
  inRec('{nvme-iops: "300"}'),
  inRec('{iops-limit/limit: "400"}').replace('web}', 'web, weight: 18446744073709551615}'),
  podText('[]').replace('namespace: team', 'namespace: rec'),
].join('---\n')

let certificates: TestCertificates
let files: WebhookFiles
let webhook: WebhookProcess

beforeAll(async () => {
  certificates = await createTestCertificates()
  files = await createWebhookFiles(certificates)
  await writeFile(join(files.directory, 'ca.crt'), files.ca)
  webhook = await startWebhook(files.argv)
})

afterAll(async () => {
  await webhook[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
})

const review = (text: string, server: string, ...argv: readonly string[]): Promise<Ended> =>
  runCommand(
    [
      ...['review', '-', '--namespace-labels', 'iops-limit/enforce=gold'],
      ...['--server', server, '--server-ca', join(files.directory, 'ca.crt'), ...argv],
    ],
    { stdin: text },
  )

describe('a webhook of the same policies', () => {
  test.each(['', '/', '/mutate'])('agrees, asked at its origin and %j', async (path) => {
    const { code, stdout, stderr } = await review(MANIFEST, `${webhook.origin}${path}`, '--policies', GOLD)
    expect(stderr).toBe('')
    expect(stdout).not.toContain('server-disagrees')
    expect(stdout).toContain('5 workloads: 2 refused, 1 warned, 1 defaulted, 1 allowed')
    expect(code).toBe(1)
  })

  test('was asked dry runs only, recorded reviews too', async () => {
    const recorded = 'test/fixtures/recorded/admission'
    const { code, stdout } = await runCommand([
      ...['review', recorded, '--policies', GOLD, '--namespaces', join(files.directory, 'namespaces.yaml')],
      ...['--server', webhook.origin, '--server-ca', join(files.directory, 'ca.crt'), '-o', 'json'],
    ])
    expect(code).toBe(0)
    const { results } = JSON.parse(stdout) as { results: readonly { disagreements: readonly string[] }[] }
    expect(results.flatMap(({ disagreements }) => disagreements)).toEqual([])
    const findDecisions = () => webhook.log.filter((line) => 'dryRun' in line)
    // A line is written behind its answer.
    await expect.poll(() => findDecisions().length).toBeGreaterThanOrEqual(results.length)
    expect(findDecisions().every((line) => line['dryRun'] === true)).toBe(true)
  })
})

describe('a webhook that says otherwise', () => {
  const differ = async (policy: string, text: string): Promise<Ended> => {
    using folder = createFolder({ 'other.yaml': policyText('gold', policy) })
    return await review(text, webhook.origin, '--policies', join(folder.path, 'other.yaml'))
  }

  test.each([
    [
      '{name: all, default: {iops: 7}}',
      '{}',
      /server-disagrees: the server's patch is \[\{"op":"add","path":"\/metadata\/annotations/,
    ],
    ['{name: all, max: {iops: 7}}', '{iops-limit/limit: "400"}', /server-disagrees: the server allows it\n/],
    [
      '{name: all}',
      '{iops-limit/limit: "9000"}',
      /server-disagrees: the server refuses it: policy gold, rule everything-else: iops-limit\/limit "9000" is above the max/,
    ],
  ])('with %s, of %s', async (policy, annotations, expected) => {
    const { code, stdout } = await differ(policy, inRec(annotations))
    expect(code).toBe(1)
    expect(stdout).toMatch(expected)
  })
})

describe('a webhook that does not answer as one', () => {
  const serve = async (listener: RequestListener): Promise<{ origin: string } & AsyncDisposable> => {
    const server = createServer({ cert: certificates.cert, key: certificates.key }, listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }

  test.each([
    ['an error', 503, 'over there\n', /HTTP 503: over there/],
    ['no JSON', 200, 'hello', /.* is not valid JSON/],
    ['another JSON', 200, '{}', /its answer is not an AdmissionReview/],
  ])('but with %s: 2, with the reason and the options to look at', async (_, status, body, reason) => {
    await using server = await serve((request, response) => {
      void json(request).then(() => response.writeHead(status).end(body))
    })
    const { code, stdout, stderr } = await review(
      inRec('{}'),
      server.origin,
      '--policies',
      GOLD,
      '-o',
      'json',
    )
    expect(code).toBe(2)
    expect(stderr).toMatch(
      new RegExp(
        `^iops-limit review: ${server.origin}/mutate cannot be asked: ${reason.source}.*; see --server and --server-ca\\n$`,
        's',
      ),
    )
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 2, results: [{ verdict: 'defaulted' }] })
  })

  test('or is not there, or has the certificate of somebody else', async () => {
    const gone = await review(inRec('{}'), 'https://127.0.0.1:1', '--policies', GOLD)
    expect(gone.code).toBe(2)
    expect(gone.stderr).toContain('https://127.0.0.1:1/mutate cannot be asked: ')
    const stranger = await runCommand(
      [
        'review',
        '-',
        '--namespace-labels',
        'iops-limit/enforce=gold',
        '--policies',
        GOLD,
        '--server',
        webhook.origin,
      ],
      { stdin: inRec('{}') },
    )
    expect(stranger.code).toBe(2)
    expect(stranger.stderr).toMatch(/cannot be asked: .*certificate/)
  })
})
