import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issueAuthority, issueLeaf } from '../../../certs/issue.ts'
import { AUTHORITY_BITS, createKeys, LEAF_BITS } from '../../../certs/keys.ts'
import { type Run, runOpenssl } from '../../support/https/openssl.ts'

const isThere = runOpenssl('version') !== undefined
if (!isThere && process.env['CI'] === 'true') throw new Error('openssl is missing: install it')
if (!isThere) console.warn('SKIPPED: openssl is missing, so nobody but node judged the certificates')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iops-limit-certs-'))
  const effects = { now: new Date(), random: randomBytes }
  const [caKeys, keys, strangerKeys] = await Promise.all(
    [AUTHORITY_BITS, LEAF_BITS, LEAF_BITS].map(createKeys),
  )
  const authority = issueAuthority(3650, caKeys!, effects)
  const names = { dns: ['iops-limit.svc', '*.pods.svc'], ips: ['127.0.0.1', 'fd00::1'] }
  const leaf = issueLeaf({ names, days: 365 }, keys!, authority, effects)
  await writeFile(join(directory, 'ca.crt'), authority.certificate)
  await writeFile(join(directory, 'tls.crt'), leaf.certificate)
  await writeFile(join(directory, 'stranger.crt'), issueAuthority(1, strangerKeys!, effects).certificate)
})
afterAll(() => rm(directory, { recursive: true }))

/** As a client would judge, with every check that openssl has. */
function verify(ca: string, ...more: readonly string[]): Run {
  const at = (name: string): string => join(directory, name)
  const strict = ['-x509_strict', '-check_ss_sig', '-purpose', 'sslserver', '-auth_level', '2']
  const run = runOpenssl('verify', ...strict, '-CAfile', at(ca), ...more, at('tls.crt'))
  if (run === undefined) throw new Error('openssl went away')
  return run
}

describe.runIf(isThere)('openssl', () => {
  test.each([
    ['-verify_hostname', 'iops-limit.svc'],
    ['-verify_hostname', 'a.pods.svc'],
    ['-verify_ip', '127.0.0.1'],
    ['-verify_ip', 'fd00::1'],
  ])('takes the chain for a server, %s %s', (...name) => {
    expect(verify('ca.crt', ...name).output).toMatch(/tls\.crt: OK\n$/)
  })

  test.each([
    ['-verify_hostname', 'other.svc'],
    ['-verify_hostname', 'a.b.pods.svc'],
    ['-verify_hostname', 'iops-limit-webhook'],
    ['-verify_ip', '127.0.0.2'],
  ])('takes it for no other, %s %s', (...name) => {
    const { code, output } = verify('ca.crt', ...name)
    expect(code).not.toBe(0)
    expect(output).toMatch(/(hostname|IP address) mismatch/)
  })

  test('takes it from no other authority', () => {
    expect(verify('stranger.crt').output).toMatch(/unable to get local issuer certificate/)
  })

  test('reads the extensions as they are meant', () => {
    const show = (name: string): string =>
      runOpenssl('x509', '-in', join(directory, name), '-noout', '-text')?.output ?? ''
    const ca = show('ca.crt')
    expect(ca).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\s/)
    expect(ca).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\s/)
    expect(ca).toMatch(/Public-Key: \(3072 bit\)/)
    const leaf = show('tls.crt')
    expect(leaf).toMatch(/Basic Constraints: critical\s+CA:FALSE\s/)
    expect(leaf).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment\s/)
    expect(leaf).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication\s/)
    expect(leaf).toMatch(/Signature Algorithm: sha256WithRSAEncryption/)
    expect(leaf).toMatch(/Public-Key: \(2048 bit\)/)
    const keyId = (text: string, name: string): string | undefined =>
      new RegExp(`X509v3 ${name} Key Identifier: \\s+(\\S+)`).exec(text)?.[1]
    expect(keyId(leaf, 'Authority')).toBe(keyId(ca, 'Subject'))
    expect(keyId(leaf, 'Authority')).toMatch(/^([0-9A-F]{2}:){19}[0-9A-F]{2}$/)
  })
})
