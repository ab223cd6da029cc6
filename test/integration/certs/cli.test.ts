import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Ended, runCommand } from '../../support/cli/run.ts'
import { createClient } from '../../support/https/client.ts'

const now = new Date()
const dayAfter = (days: number): string =>
  new Date(now.getTime() + days * 86_400_000).toISOString().slice(0, 10)

let out: string
beforeEach(async () => {
  out = join(await mkdtemp(join(tmpdir(), 'iops-limit-cli-')), 'made', 'here')
})
afterEach(() => rm(join(out, '../..'), { recursive: true }))

const run = (...argv: readonly string[]): Promise<Ended> => runCommand(argv, { now })

const readAll = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(out))
        .sort()
        .map(async (name) => [name, await readFile(join(out, name), 'utf8')] as const),
    ),
  )

describe('iops-limit certs', () => {
  test('makes four files, keys for nobody else, and says what comes next', async () => {
    const { code, stdout, stderr } = await run('certs', '--out', out, '--dns', 'a.svc,b.svc', '--ip', '::1')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).toBe(`Made in ${out}:
  ca.crt   the CA, until ${dayAfter(3650)}
  ca.key   the CA's key: keep it off the cluster
  tls.crt  serving certificate for a.svc, b.svc, ::1, until ${dayAfter(365)}
  tls.key  its key
Next:
  serve:    iops-limit-webhook --tls-cert ${out}/tls.crt --tls-key ${out}/tls.key ...
  publish:  the caBundle of the MutatingWebhookConfiguration is the output of: base64 -w0 ${out}/ca.crt
`)
    const modes = await Promise.all(
      ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'].map(
        async (name) => (await stat(join(out, name))).mode & 0o777,
      ),
    )
    expect(modes.map((mode) => mode & 0o077)).toEqual([0o044, 0, 0o044, 0])
    expect(await readdir(out)).toHaveLength(4)
  })

  test('makes what serves, and what its clients trust', async () => {
    const { code } = await run(
      'certs',
      '--out',
      out,
      '--dns',
      'localhost',
      '--ip',
      '127.0.0.1',
      '--ip',
      '::1',
    )
    expect(code).toBe(0)
    const files = await readAll()
    const server = createServer({ cert: files['tls.crt'], key: files['tls.key'] }, (_, res) =>
      res.end('served'),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = createClient(`https://127.0.0.1:${port}`, { ca: files['ca.crt'] })
    expect((await client.send({})).body).toBe('served')
    client.close()
    server.close()
  })

  test('replaces nothing unless told to', async () => {
    await run('certs', '--out', out, '--dns', 'a.svc')
    const before = await readAll()
    const refused = await run('certs', '--out', out, '--dns', 'b.svc')
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: `iops-limit certs: ca.crt, ca.key, tls.crt, tls.key in ${out} would be lost: --force replaces, or name another --out\n`,
    })
    expect(await readAll()).toEqual(before)
    expect((await run('certs', '--out', out, '--dns', 'b.svc', '--force')).code).toBe(0)
    const after = await readAll()
    expect(new X509Certificate(after['tls.crt']!).subjectAltName).toBe('DNS:b.svc')
    expect(Object.keys(after)).toEqual(Object.keys(before))
    expect(new Set([...Object.values(after), ...Object.values(before)]).size).toBe(8)
  })

  test('leaves all as it was where one file cannot be placed', async () => {
    await mkdir(join(out, 'tls.key', 'precious'), { recursive: true })
    await writeFile(join(out, 'ca.crt'), 'old')
    const { code, stdout, stderr } = await run('certs', '--out', out, '--dns', 'a.svc', '--force')
    expect(stderr).toBe(
      `iops-limit certs: nothing was written: ${out}/tls.key is a directory: it is not replaced; give by --out a directory that can be written\n`,
    )
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect((await readdir(out)).sort()).toEqual(['ca.crt', 'tls.key'])
    expect(await readFile(join(out, 'ca.crt'), 'utf8')).toBe('old')
    expect(await readdir(join(out, 'tls.key'))).toEqual(['precious'])
  })

  test('says so where nothing can be written', async () => {
    await mkdir(join(out, '..'), { recursive: true })
    await writeFile(out, 'a file')
    const { code, stderr } = await run('certs', '--out', out, '--dns', 'a.svc')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^iops-limit certs: nothing was written: E\w+: .*; give by --out a directory/)
  })

  test('refuses a wrong call, with everything that is wrong', async () => {
    const names = await run(
      'certs',
      '--out',
      out,
      '--dns',
      'a_b,c.',
      '--ip',
      'x',
      '--days',
      '9',
      '--ca-days',
      '8',
    )
    expect(names.code).toBe(2)
    expect(
      names.stderr,
    ).toBe(`iops-limit certs: --days 9 is more than --ca-days 8: no certificate outlives its CA
iops-limit certs: DNS name: "a_b" has the label "a_b"; write labels of letters, digits and inner dashes, 1 to 63 long; a star only as the first
iops-limit certs: DNS name: "c." ends in a dot; leave the last dot out
iops-limit certs: IP address: "x" is not an IP address; write such as 10.0.0.1 or fd00::1; move a name to the DNS names
See iops-limit certs --help
`)
    const nobody = await run('certs', '--out', out)
    expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('names: are missing') as string })
    const nowhere = await run('certs', '--dns', 'a.svc', '--days', '0')
    expect(nowhere.stderr).toContain(
      'iops-limit certs: --out is required: where the files go; made if missing\n',
    )
    expect(nowhere.stderr).toContain('iops-limit certs: --days "0" is not a whole number from 1 to 825\n')
    await expect(stat(out)).rejects.toThrow('ENOENT')
  })

  test('explains itself', async () => {
    const { code, stdout } = await run('certs', '--help')
    expect(code).toBe(0)
    for (const flag of ['--out', '--dns', '--ip', '--days', '--ca-days', '--force']) {
      expect(stdout).toContain(`  ${flag}`)
    }
  })
})

describe('iops-limit', () => {
  test('lists its commands', async () => {
    const help = await run('--help')
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('  certs       make a CA and a serving certificate for the webhook\n')
  })

  test.each([
    [[], 'no command was given'],
    [['certify'], 'there is no command "certify"'],
    [['constructor'], 'there is no command "constructor"'],
    [['--out', 'x'], 'there is no command "--out"'],
  ])('refuses %j', async (argv, wrong) => {
    const { code, stdout, stderr } = await run(...argv)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(
      new RegExp(`^iops-limit: ${wrong}: write one of [a-z, ]+\nSee iops-limit --help\n$`),
    )
  })

  test('runs as a program', () => {
    const main = fileURLToPath(new URL('../../../webhook/cli/main.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [main, 'certs', '--out', out, '--dns', 'a.svc'])
    expect(stderr.toString()).toBe('')
    expect(status).toBe(0)
  })
})
