import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runWebhook, type WebhookEffects } from '../../../webhook/server/program.ts'
import { OPTIONS } from '../../../webhook/server/settings.ts'
import { createTestCertificates, type TestCertificates } from '../../support/https/certificates.ts'
import { createClient } from '../../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../../support/https/files.ts'
import { readMetric } from '../../support/https/metrics.ts'
import { startWebhook } from '../../support/https/webhook.ts'
import { openWire } from '../../support/https/wire.ts'
import { reviewOf } from '../../support/reviews.ts'

let files: WebhookFiles
let certificates: TestCertificates
let directory: string
beforeAll(async () => {
  certificates = await createTestCertificates()
  files = await createWebhookFiles(certificates)
  directory = await mkdtemp(join(tmpdir(), 'iops-limit-program-'))
  await writeFile(
    at('bad.yaml'),
    '{apiVersion: policy.iops-limit/v1alpha1, kind: IOLimitPolicy, metadata: {name: gold}, spec: {rules: [{name: a, max: {iops: 10Mi}}], more: 1}}',
  )
})
afterAll(async () => {
  await files[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let [stdout, stderr] = ['', '']
  const effects: WebhookEffects = {
    stdout: { write: (text) => void (stdout += text) },
    stderr: (text) => (stderr += text),
    clock: () => performance.now() / 1000,
    now: () => new Date(),
    random: Math.random,
    untilStopped: () => Promise.resolve('the test'),
  }
  return { code: await runWebhook(argv, env, effects), stdout, stderr }
}

const problemsOf = (stderr: string): readonly string[] =>
  stderr
    .trimEnd()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^iops-limit-webhook: /, ''))

const at = (name: string): string => join(directory, name)

describe('the configuration', () => {
  test('help names every flag, its variable and its default', async () => {
    const { code, stdout, stderr } = await run(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const { flag, env, fallback } of Object.values(OPTIONS)) {
      expect(stdout).toMatch(new RegExp(`^  --${flag}( |$)`, 'm'))
      expect(stdout).toContain(`[env ${env}${fallback?.shown ? `; default ${fallback.shown}` : ''}`)
    }
    expect(stdout).toContain('env PORT; default 8443')
    expect(stdout).toContain('env KEEP_ALIVE_TIMEOUT; default 100s')
    expect(stdout).toContain('env MAX_BODY_BYTES; default 7340032')
  })

  test('what is missing is told at once', async () => {
    const { code, stdout, stderr } = await run([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(problemsOf(stderr).map((line) => line.split(' is required: ')[0])).toEqual([
      '--policy-file (or POLICY_FILE)',
      '--namespaces-file (or NAMESPACES_FILE)',
      '--tls-cert (or TLS_CERT)',
      '--tls-key (or TLS_KEY)',
    ])
    expect(stderr.endsWith('\nSee iops-limit-webhook --help\n')).toBe(true)
  })

  test('missing flags, unreadable files, bad policies and bad values are told in one go', async () => {
    await writeFile(at('pods.yaml'), '{apiVersion: v1, kind: Pod, metadata: {name: a}}')
    await mkdir(at('empty'), { recursive: true })
    const { code, stderr } = await run(
      [
        ...['--policy-file', `${at('bad.yaml')},${at('none.yaml')}`, '--policy-file', at('empty')],
        ...['--namespaces-file', at('pods.yaml'), '--tls-cert', directory],
        ...['--port', '99999', '--keep-alive-timeout', '5s', '--review-timeout=0s', '--close-every=-1'],
      ],
      { LOG_LEVEL: 'loud' },
    )
    expect(code).toBe(2)
    expect(problemsOf(stderr)).toEqual([
      '--tls-key (or TLS_KEY) is required: its key, PEM',
      '--port "99999" is not a whole number from 0 to 65535',
      '--review-timeout "0s" is not between 1ms and 1h',
      '--keep-alive-timeout "5s" is not between 95s and 24h: the API server keeps idle connections for 90s, and a shorter time fails its requests',
      '--close-every "-1" is not a whole number from 0 to 1000000000',
      'LOG_LEVEL "loud" is not one of debug, info, warn, error, silent',
      `${directory}: cannot be read: it is a directory; name a file that this process can read`,
      `${at('none.yaml')}: cannot be read: there is no such file; name a file that this process can read`,
      `${at('empty')}: holds no *.yaml, *.yml or *.json file; put one there, or name another`,
      `${at('bad.yaml')}: spec.more: "1" is not a field here; remove it, or write one of rules, exemptNamespaces`,
      `${at('bad.yaml')}: spec.rules[0].max.iops: "10Mi" is an amount of data, and this key counts operations; write operations per second in digits, such as "500"; bytes per second go under spec.rules[0].max.bps`,
      `${at('pods.yaml')}: kind: "Pod" is not Namespace; leave only Namespace objects in this file`,
    ])
  })

  test('every problem of every policy file is told', async () => {
    await writeFile(at('one.yaml'), 'a: [')
    const { code, stderr } = await run([
      ...files.argv,
      ...['--policy-file', at('bad.yaml'), '--policy-file', at('one.yaml')],
    ])
    expect(code).toBe(2)
    const problems = problemsOf(stderr)
    expect(problems.filter((line) => line.startsWith(at('bad.yaml'))).length).toBe(2)
    expect(problems.filter((line) => line.startsWith(at('one.yaml'))).length).toBeGreaterThan(0)
  })

  test('a file that cannot be read hides nothing of the others, nor does a wrong setting', async () => {
    await writeFile(at('one.yaml'), 'a: [')
    const { stderr } = await run([
      ...files.argv,
      ...['--policy-file', at('missing.yaml'), '--policy-file', at('one.yaml'), '--policy-file', at('empty')],
      ...['--port=8443', '--metrics-port=8443', '--max-buffered-bytes=7', '--max-concurrent=none'],
    ])
    const problems = problemsOf(stderr)
    expect(problems.map((line) => line.replace(directory, '').split(/[ :]/)[0])).toEqual([
      '--max-concurrent',
      '--max-buffered-bytes',
      '--port',
      '/missing.yaml',
      '/empty',
      '/one.yaml',
    ])
  })

  test('a key that is not of its certificate, and what is neither', async () => {
    const other = await createTestCertificates()
    await writeFile(at('other.key'), other.key)
    await writeFile(at('none.pem'), 'no PEM')
    const [key, none, cert] = [at('other.key'), at('none.pem'), join(files.directory, 'tls.crt')]
    expect(problemsOf((await run([...files.argv, '--tls-key', key])).stderr)).toEqual([
      `${key}: is not the key of ${cert}; name the two files of one certificate`,
    ])
    expect(problemsOf((await run([...files.argv, '--tls-key', none, '--tls-cert', none])).stderr)).toEqual([
      `${none}: is not a certificate that can be served; name a file of PEM certificates, the serving one first ("iops-limit certs" makes one)`,
      `${none}: is not a private key that can be read; name a file with the certificate's key as PEM, not encrypted`,
    ])
  })

  test('settings that contradict one another', async () => {
    const { code, stderr } = await run([
      ...files.argv,
      ...['--port=8443', '--metrics-port=8443', '--max-buffered-bytes=7'],
    ])
    expect(code).toBe(2)
    expect(problemsOf(stderr)).toEqual([
      '--max-buffered-bytes 7 is less than --max-body-bytes 7340032: raise it',
      '--port and --metrics-port are both 8443: give them different ones',
    ])
  })

  test('a list that names nothing, and operands', async () => {
    expect(problemsOf((await run([...files.argv, '--policy-file', ',', 'x'])).stderr)).toEqual([
      'unexpected argument "x": see --help',
    ])
    expect(problemsOf((await run([...files.argv.slice(2), '--policy-file=,'])).stderr)).toEqual([
      '--policy-file "," names no file',
    ])
  })
})

describe('the program', () => {
  test('starts, and ends with 0 when it is asked to', async () => {
    const { code, stdout, stderr } = await run([...files.argv, '--shutdown-delay=0s'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      {
        level: 'info',
        msg: 'listening',
        mutate: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/mutate$/) as string,
        metrics: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/) as string,
      },
      { msg: 'stopping', reasons: ['shutting down: the test'], delay: 0 },
      { msg: 'stopped' },
    ])
  })

  test('takes its settings from the environment, and a flag beats it', async () => {
    const env = Object.fromEntries(
      ['policy-file', 'namespaces-file', 'tls-cert', 'tls-key'].map((flag) => [
        flag.toUpperCase().replace('-', '_'),
        files.argv[files.argv.indexOf(`--${flag}`) + 1] ?? '',
      ]),
    )
    const { code, stdout } = await run(['--shutdown-delay', '1ms', '--port=0'], {
      ...env,
      ...{ PORT: '1', METRICS_PORT: '0', LISTEN_HOST: '127.0.0.1', SHUTDOWN_DELAY: '1h', LOG_LEVEL: 'info' },
    })
    expect(code).toBe(0)
    expect(stdout).toContain('"delay":1,')
  })

  test('says so where a port is taken, and leaves with 1', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    for (const flag of ['--port', '--metrics-port']) {
      expect(await run([...files.argv, flag, port])).toEqual({
        code: 1,
        stdout: '',
        stderr: `iops-limit-webhook: listen EADDRINUSE: address already in use 127.0.0.1:${port}; name another --host, --port or --metrics-port\n`,
      })
    }
    taken.close()
  })

  test('as a process: decides recorded reviews, tells each, and ends with 0 on SIGTERM', async () => {
    await using webhook = await startWebhook([...files.argv, '--shutdown-delay', '300ms'])
    const client = createClient(webhook.origin, { ca: files.ca })
    const ops = createClient(webhook.opsOrigin)
    const recorded = new URL('../../fixtures/recorded/admission/', import.meta.url)
    const create = JSON.parse(await readFile(new URL('05-create-pods.json', recorded), 'utf8')) as unknown
    const dryRun = JSON.parse(await readFile(new URL('08-create-pods-dryrun.json', recorded), 'utf8')) as {
      request: { uid: string }
    }
    const refusals = 'iops_limit_webhook_refusals_total{policy="gold",dry_run="false"}'
    expect((await ops.send({ path: '/metrics' })).body).toContain(`${refusals} 0\n`)
    expect((await client.review(create, '?timeout=10s')).status).toBe(200)
    await client.review(reviewOf({ 'iops-limit/read-iops': '9000' }), '?timeout=10s')
    expect(await readMetric(ops, refusals)).toBe(1)
    const answered = await client.review(dryRun, '?timeout=10s')
    expect(JSON.parse(answered.body)).toMatchObject({ response: { uid: dryRun.request.uid } })
    const line = await webhook.untilLogged(({ uid }) => uid === dryRun.request.uid)
    expect(line).toMatchObject({ level: 'info', msg: 'decision', operation: 'CREATE', dryRun: true })
    const outcome = String(line['outcome'])
    const labels = `operation="CREATE",outcome="${outcome}",dry_run="true"`
    expect(await readMetric(ops, `iops_limit_webhook_reviews_total{${labels}}`)).toBe(1)
    expect(await readMetric(ops, 'iops_limit_webhook_policies')).toBe(1)
    expect(await readMetric(ops, 'iops_limit_webhook_namespaces')).toBe(2)
    expect(await readMetric(ops, 'process_resident_memory_bytes')).toBeGreaterThan(1e7)
    const expiry = await readMetric(ops, 'iops_limit_webhook_certificate_expiry_timestamp_seconds')
    expect(expiry - Date.now() / 1000).toBeGreaterThan(6 * 86_400)
    expect((await ops.send({ path: '/readyz' })).status).toBe(200)

    webhook.terminate()
    await webhook.untilLogged(({ msg }) => msg === 'stopping')
    expect((await ops.send({ path: '/readyz' })).status).toBe(503)
    const last = await client.review(create)
    expect(last).toMatchObject({ status: 200, headers: { connection: 'close' } })
    expect(await webhook.exit).toBe(0)
    expect(webhook.log.at(-1)).toMatchObject({ msg: 'stopped' })
    client.close()
    ops.close()
  })

  test('as a process: a second SIGTERM changes nothing', async () => {
    await using webhook = await startWebhook([...files.argv, '--shutdown-delay', '500ms'])
    webhook.terminate()
    await webhook.untilLogged(({ msg }) => msg === 'stopping')
    webhook.terminate()
    webhook.terminate()
    expect(await webhook.exit).toBe(0)
    expect(webhook.log.at(-1)).toMatchObject({ msg: 'stopped' })
  })

  test('waits for a request under way, and not for one that never ends', async () => {
    await using webhook = await startWebhook([
      ...files.argv,
      ...['--shutdown-delay', '0s', '--shutdown-timeout', '1s', '--review-timeout', '1h'],
    ])
    const [slow, stuck] = [
      await openWire(webhook.origin, { ca: files.ca }),
      await openWire(webhook.origin, { ca: files.ca }),
    ]
    const head =
      'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n'
    for (const { socket } of [slow, stuck]) socket.write(`${head}{`)
    const ops = createClient(webhook.opsOrigin)
    while ((await readMetric(ops, 'iops_limit_webhook_requests_in_flight')) !== 2);
    ops.close()
    webhook.terminate()
    await webhook.untilLogged(({ msg }) => msg === 'stopping')
    await new Promise((resolve) => setTimeout(resolve, 200))
    slow.socket.write('}')
    const { text } = await slow.ended
    expect(text).toContain('HTTP/1.1 400 Bad Request')
    expect(text).toContain('Connection: close')
    const { text: nothing, milliseconds } = await stuck.ended
    expect(nothing).toBe('')
    expect(milliseconds).toBeGreaterThan(900)
    expect(await webhook.exit).toBe(0)
  })
})
