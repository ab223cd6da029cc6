import { X509Certificate } from 'node:crypto'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { createTestAuthority, createTestCertificates } from '../../support/https/certificates.ts'
import { createClient } from '../../support/https/client.ts'
import { createWebhookFiles, NAMESPACES, replaceFile, writePair } from '../../support/https/files.ts'
import { readMetric } from '../../support/https/metrics.ts'
import { type LogLine, startWebhook } from '../../support/https/webhook.ts'

const QUICK = ['--reload-interval', '30ms']

/** Serial number of the certificate that a new connection is given. */
const serialOf = (origin: string, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const port = Number(new URL(origin).port)
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })

const reloads = (what: string, result: string): string =>
  `iops_limit_webhook_reloads_total{what="${what}",result="${result}"}`

const isTold =
  (what: string, level: string) =>
  (line: LogLine): boolean =>
    line['what'] === what && line['level'] === level

const podOf = (name: string): unknown => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: name,
    operation: 'CREATE',
    namespace: 'rec',
    resource: { group: '', version: 'v1', resource: 'pods' },
    object: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})

const policy = (iops: number, name = 'gold'): string =>
  `{apiVersion: policy.iops-limit/v1alpha1, kind: IOLimitPolicy, metadata: {name: ${name}}, spec: {rules: [{name: all, default: {iops: ${iops}}}]}}`

describe('a new certificate', () => {
  test('is served to new connections, and no connection or request is lost over it', async () => {
    const authority = await createTestAuthority()
    const [first, second] = [await createTestCertificates(authority), await createTestCertificates(authority)]
    await using files = await createWebhookFiles(first)
    await using webhook = await startWebhook([...files.argv, ...QUICK, '--close-every=0'])
    const { origin, opsOrigin } = webhook
    const ops = createClient(opsOrigin)
    const client = createClient(origin, { ca: files.ca })
    const statuses: number[] = []
    const ended = new AbortController()
    const load = (async () => {
      while (!ended.signal.aborted) {
        const { status, headers } = await client.review(podOf('under-load'))
        statuses.push(headers.connection === 'close' ? 0 : status)
      }
    })()
    expect(await serialOf(origin, files.ca)).toBe(new X509Certificate(first.cert).serialNumber)

    // The certificate without its key, as a poll may find it between two writes.
    await replaceFile(join(files.directory, 'tls.crt'), second.cert)
    const refused = await webhook.untilLogged(isTold('tls', 'error'))
    expect(refused).toMatchObject({
      msg: 'new version of the files refused: the one before stays in force',
      problems: [
        `${join(files.directory, 'tls.key')}: is not the key of ${join(files.directory, 'tls.crt')}; name the two files of one certificate`,
      ],
    })
    expect(await serialOf(origin, files.ca)).toBe(new X509Certificate(first.cert).serialNumber)

    await writePair(files.directory, second)
    await webhook.untilLogged(isTold('tls', 'info'))
    expect(await serialOf(origin, files.ca)).toBe(new X509Certificate(second.cert).serialNumber)
    await new Promise((resolve) => setTimeout(resolve, 100))
    ended.abort()
    await load
    expect(statuses.length).toBeGreaterThan(20)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(await readMetric(ops, reloads('tls', 'refused'))).toBe(1)
    expect(await readMetric(ops, reloads('tls', 'loaded'))).toBe(1)
    client.close()
    ops.close()
  })

  test('comes by the swapped links of a Secret volume too', async () => {
    const authority = await createTestAuthority()
    const [first, second] = [await createTestCertificates(authority), await createTestCertificates(authority)]
    await using files = await createWebhookFiles(first)
    const volume = join(files.directory, 'volume')
    const mount = async (name: string, certificates: typeof first): Promise<void> => {
      await mkdir(join(volume, name), { recursive: true })
      await writePair(join(volume, name), certificates)
      await symlink(name, join(volume, '..data_tmp'))
      await rename(join(volume, '..data_tmp'), join(volume, '..data'))
    }
    await mount('..2026_1', first)
    for (const name of ['tls.crt', 'tls.key']) await symlink(`..data/${name}`, join(volume, name))
    await using webhook = await startWebhook([
      ...files.argv,
      ...QUICK,
      ...['--tls-cert', join(volume, 'tls.crt'), '--tls-key', join(volume, 'tls.key')],
    ])
    await mount('..2026_2', second)
    await rm(join(volume, '..2026_1'), { recursive: true })
    await webhook.untilLogged(isTold('tls', 'info'))
    expect(await serialOf(webhook.origin, files.ca)).toBe(new X509Certificate(second.cert).serialNumber)
  })
})

describe('policies and namespaces', () => {
  test('follow their files, and a wrong version is refused as a whole', async () => {
    await using files = await createWebhookFiles()
    const directory = join(files.directory, 'policies')
    await mkdir(directory)
    await writeFile(join(directory, 'a.yaml'), policy(111))
    await writeFile(join(directory, 'notes.txt'), 'no policy')
    await using webhook = await startWebhook([
      ...files.argv.slice(2),
      ...['--policy-file', directory, ...QUICK],
    ])
    const client = createClient(webhook.origin, { ca: files.ca })
    const ops = createClient(webhook.opsOrigin)
    const patchFor = async (name: string): Promise<string> => {
      const { body } = await client.review(podOf(name))
      const { response } = JSON.parse(body) as { response: { patch?: string } }
      return Buffer.from(response.patch ?? '', 'base64').toString()
    }
    expect(await patchFor('one')).toContain('"iops-limit/read-iops":"111"')

    await replaceFile(join(directory, 'b.yaml'), policy(5, 'other'))
    await webhook.untilLogged(isTold('policies', 'info'))
    expect(await readMetric(ops, 'iops_limit_webhook_policies')).toBe(2)

    await replaceFile(join(directory, 'a.yaml'), policy(-1))
    await replaceFile(join(directory, 'b.yaml'), policy(-2, 'other'))
    const refused = await webhook.untilLogged(isTold('policies', 'error'))
    expect(String(refused['problems'])).toContain(`${join(directory, 'a.yaml')}: spec.rules[0].default.iops`)
    expect(await patchFor('two')).toContain('"iops-limit/read-iops":"111"')
    expect(await readMetric(ops, 'iops_limit_webhook_policies')).toBe(2)

    await rm(join(directory, 'b.yaml'))
    await replaceFile(join(directory, 'a.yaml'), policy(222))
    while ((await readMetric(ops, 'iops_limit_webhook_policies')) !== 1) await webhook.untilLogged(() => true)
    expect(await patchFor('three')).toContain('"iops-limit/read-iops":"222"')
    expect(await readMetric(ops, reloads('policies', 'refused'))).toBeGreaterThanOrEqual(1)

    await replaceFile(join(files.directory, 'namespaces.yaml'), NAMESPACES.replace('iops-limit/enforce', 'x'))
    await webhook.untilLogged(isTold('namespaces', 'info'))
    expect(await patchFor('four')).toBe('')
    await rm(join(files.directory, 'namespaces.yaml'))
    const gone = await webhook.untilLogged(isTold('namespaces', 'error'))
    expect(String(gone['problems'])).toContain('there is no such file')
    expect((await client.review(podOf('five'))).status).toBe(200)
    expect(await readMetric(ops, 'iops_limit_webhook_namespaces')).toBe(2)
    client.close()
    ops.close()
  })
})
