import { writeFile } from 'node:fs/promises'
import type { AgentOptions } from 'node:https'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Authority } from '../../certs/issue.ts'
import {
  createTestAuthority,
  createTestCertificates,
  type TestCertificates,
} from '../support/https/certificates.ts'
import { createClient, type Reply } from '../support/https/client.ts'
import { type ClientCertificate, issueClient } from '../support/https/clientCertificate.ts'
import { createWebhookFiles } from '../support/https/files.ts'
import { readMetric } from '../support/https/metrics.ts'
import { kindReviewer, type Serving, startServing } from '../support/https/serving.ts'
import { startWebhook } from '../support/https/webhook.ts'
import { reviewOf } from '../support/reviews.ts'

let certificates: TestCertificates
let authority: Authority
let [apiServer, kubelet, forServing, stranger]: ClientCertificate[] = []
beforeAll(async () => {
  const other = await createTestAuthority()
  certificates = await createTestCertificates()
  authority = await createTestAuthority()
  apiServer = await issueClient('kube-apiserver', authority)
  kubelet = await issueClient('system:node:a', authority)
  forServing = await issueClient('kube-apiserver', authority, { serverAuth: true })
  stranger = await issueClient('kube-apiserver', other)
})

const serve = (names: readonly string[] | undefined): Promise<Serving> =>
  startServing({
    reviewer: kindReviewer,
    certificates,
    clients: { ca: authority.certificate, names },
  })

async function send(origin: string, shown: AgentOptions = {}, ca = certificates.ca): Promise<Reply> {
  const client = createClient(origin, { ca, ...shown })
  try {
    return await client.review(reviewOf({}))
  } finally {
    client.close()
  }
}

const REFUSAL =
  '{"error":{"reason":"unknown-client","message":"reviews are taken from the API server only: show a certificate that --client-ca has signed, with a name of --client-names"}}\n'

describe('where a client certificate is asked for', () => {
  test('the API server is answered', async () => {
    await using serving = await serve(['kube-apiserver'])
    expect((await send(serving.origin, apiServer)).status).toBe(200)
  })

  test('nobody else is: no certificate, one of another authority, of another name, for serving', async () => {
    await using serving = await serve(['kube-apiserver'])
    for (const shown of [{}, stranger, kubelet, forServing]) {
      const { status, body } = await send(serving.origin, shown)
      expect([status, body]).toEqual([401, REFUSAL])
    }
    const ops = createClient(serving.opsOrigin)
    const sample = 'iops_limit_webhook_rejected_requests_total{reason="unknown-client"}'
    expect(await readMetric(ops, sample)).toBe(4)
    ops.close()
  })

  test('any name will do where none is listed', async () => {
    await using serving = await serve(undefined)
    expect((await send(serving.origin, kubelet)).status).toBe(200)
    expect((await send(serving.origin)).status).toBe(401)
  })

  test('also once the serving certificate was exchanged', async () => {
    await using serving = await serve(['kube-apiserver'])
    const next = await createTestCertificates()
    serving.servePair(next)
    expect((await send(serving.origin, apiServer, next.ca)).status).toBe(200)
    expect((await send(serving.origin, {}, next.ca)).status).toBe(401)
    expect((await send(serving.origin, stranger, next.ca)).status).toBe(401)
  })
})

test('the program takes the authority and the names by its flags', async () => {
  await using files = await createWebhookFiles(certificates)
  const clientCa = join(files.directory, 'client-ca.crt')
  await writeFile(clientCa, authority.certificate)
  await using webhook = await startWebhook([
    ...files.argv,
    ...['--client-ca', clientCa, '--client-names', 'kube-apiserver,other'],
  ])
  expect((await send(webhook.origin, apiServer)).status).toBe(200)
  expect((await send(webhook.origin, kubelet)).status).toBe(401)
  expect((await send(webhook.origin)).status).toBe(401)
})
