/** The program as part of a cluster, so far as no cluster is needed: its configuration, and a cluster that is out of reach. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openConfiguration } from '../../../webhook/server/configuration.ts'
import { createClient } from '../../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../../support/https/files.ts'
import { readMetric } from '../../support/https/metrics.ts'
import { startWebhook } from '../../support/https/webhook.ts'
import { reviewOf } from '../../support/reviews.ts'

let files: WebhookFiles
let kubeconfig: string

beforeAll(async () => {
  files = await createWebhookFiles()
  kubeconfig = join(files.directory, 'kubeconfig')
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'away',
      // Nobody listens on port 1.
      clusters: [{ name: 'away', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'me', user: { token: 'x' } }],
      contexts: [{ name: 'away', context: { cluster: 'away', user: 'me' } }],
    }),
  )
})

afterAll(() => files[Symbol.asyncDispose]())

const IN_POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }

async function problemsOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const opened = await openConfiguration({ argv, env })
  return opened.kind === 'problems' ? opened.problems : []
}

describe('the configuration', () => {
  test('inside a pod needs no file, and its namespace', async () => {
    expect(await problemsOf([], { ...IN_POD, POD_NAMESPACE: 'iops-limit' })).toEqual([])
    expect(await problemsOf([], IN_POD)).toEqual([
      '--webhook-namespace (or POD_NAMESPACE) is required: where the webhook runs: its Secret and Lease are there, and no policy reaches it',
    ])
  })

  test('with a certificate in files and no back-fill needs not even that', async () => {
    const tls = files.argv.slice(4, 8)
    expect(await problemsOf([...tls, '--backfill=false'], IN_POD)).toEqual([])
    expect((await problemsOf(tls, IN_POD)).length).toBe(1)
  })

  test('with all files opens no cluster', async () => {
    const opened = await openConfiguration({ argv: files.argv, env: IN_POD })
    expect(opened).toMatchObject({ kind: 'configuration' })
    expect(opened).not.toHaveProperty('configuration.connection')
  })

  test('holds the lives of a certificate and its authority to each other, and its names to what it can carry', async () => {
    const inPod = { ...IN_POD, POD_NAMESPACE: 'iops-limit' }
    const flags = ['--certificate-lifetime', '200h', '--ca-lifetime', '500h', '--ca-overlap', '100h']
    expect(await problemsOf(flags, inPod)).toEqual([
      '--certificate-lifetime is more than a third of --ca-lifetime: lower it',
      '--ca-overlap is more than a sixth of --ca-lifetime: lower it',
    ])
    expect(await problemsOf(['--service-name', 'a_b'], inPod)).toEqual([
      '--service-name a_b, in iops-limit: has the label "a_b"; write labels of letters, digits and inner dashes, 1 to 63 long; a star only as the first',
    ])
    expect(await problemsOf(['--ca-lifetime', '100000h'], inPod)).toEqual([
      '--ca-lifetime "100000h" is not between 1s and 87600h',
    ])
  })

  test('of the advisor needs the name that it writes under, and the cluster that its pods are in', async () => {
    const inPod = { ...IN_POD, POD_NAMESPACE: 'iops-limit' }
    const self = 'system:serviceaccount:iops-limit:iops-limit-webhook'
    expect(await problemsOf(['--advisor', '--self', self], inPod)).toEqual([])
    expect(await problemsOf(['--advisor', '--advisor-interval=90ms', '--enforcer-port=0'], IN_POD)).toEqual([
      '--webhook-namespace (or POD_NAMESPACE) is required: where the webhook runs: its Secret and Lease are there, and no policy reaches it',
      expect.stringMatching(/^--self \(or SELF\) is required: the name by which /),
      '--advisor-interval "90ms" is not between 1s and 24h',
      '--enforcer-port "0" is not a whole number from 1 to 65535',
    ])
    const [, , flag = '', namespaces = ''] = files.argv
    expect(await problemsOf(['--advisor', '--self', self, flag, namespaces], inPod)).toEqual([
      '--advisor needs the cluster that its pods are in: leave --namespaces-file out',
    ])
  })

  test('takes half a certificate for a slip', async () => {
    const [, , , , flag = '', cert = ''] = files.argv
    expect(await problemsOf([flag, cert, '--webhook-namespace', 'x'], IN_POD)).toEqual([
      '--tls-key (or TLS_KEY) is required: its key, PEM',
    ])
  })

  test('says what is wrong with a kubeconfig', async () => {
    const none = join(files.directory, 'none')
    const argv = ['--webhook-namespace', 'x', '--kubeconfig']
    expect(await problemsOf([...argv, none])).toEqual([
      `--kubeconfig ${none} cannot be used: ENOENT: no such file or directory, open '${none}'; name one with a current context`,
    ])
    const empty = join(files.directory, 'empty')
    await writeFile(empty, '{apiVersion: v1, kind: Config}')
    expect(await problemsOf([...argv, empty])).toEqual([
      `--kubeconfig ${empty} cannot be used: ${empty} names no current cluster with an https:// server; name one with a current context`,
    ])
    expect(await problemsOf([...argv, kubeconfig])).toEqual([])
  })

  test('has bounds', async () => {
    const argv = ['--webhook-namespace=x', '--webhook-configuration=,', '--backfill-interval=1ms']
    expect(await problemsOf([...argv, '--backfill-qps=0', '--backfill=perhaps'], IN_POD)).toEqual([
      '--webhook-configuration "," names no configuration',
      '--backfill "perhaps" is neither true nor false',
      '--backfill-interval "1ms" is not between 1s and 24h',
      '--backfill-qps "0" is not a whole number from 1 to 1000',
    ])
  })
})

test('while the cluster is out of reach it is not ready, and lets pods through with a word', async () => {
  const argv = [...files.argv.slice(4), '--kubeconfig', kubeconfig, '--backfill=false', '--shutdown-delay=0s']
  await using webhook = await startWebhook(argv)
  const [client, ops] = [createClient(webhook.origin, { ca: files.ca }), createClient(webhook.opsOrigin)]
  const away = (what: string, path: string): string =>
    `${what}: not read from the cluster yet: GET ${path}: connect ECONNREFUSED 127.0.0.1:1`
  const reasons = [
    away('policies', '/apis/policy.iops-limit/v1alpha1/iolimitpolicies'),
    away('namespaces', '/api/v1/namespaces'),
  ]
  await webhook.untilLogged(({ cache }) => cache === 'namespaces')
  await webhook.untilLogged(({ cache }) => cache === 'policies')
  const { status, body } = await ops.send({ path: '/readyz' })
  expect({ status, body: JSON.parse(body) as unknown }).toEqual({
    status: 503,
    body: { ready: false, reasons },
  })
  const began = performance.now()
  const answer = JSON.parse((await client.review(reviewOf({}), '?timeout=3s')).body) as unknown
  expect(performance.now() - began).toBeLessThan(2000)
  expect(answer).toMatchObject({ response: { allowed: true } })
  expect(answer).not.toHaveProperty('response.patch')
  expect(answer).toHaveProperty(
    'response.warnings.0',
    expect.stringContaining('policies: not read from the cluster yet'),
  )
  expect(await readMetric(ops, 'iops_limit_webhook_failed_open_total')).toBe(1)
  const calls = 'verb="list",resource="namespaces",code="0"'
  expect(await readMetric(ops, `iops_limit_webhook_kube_requests_total{${calls}}`)).toBeGreaterThan(0)
  client.close()
  ops.close()
  webhook.terminate()
  expect(await webhook.exit).toBe(0)
})
