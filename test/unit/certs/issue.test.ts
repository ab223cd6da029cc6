import { createHash, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type Authority,
  type IssueEffects,
  issueAuthority,
  issueLeaf,
  type KeyPair,
} from '../../../certs/issue.ts'
import { createKeys } from '../../../certs/keys.ts'
import { parseNames } from '../../../certs/names.ts'

const now = new Date('2026-03-01T12:00:00Z')
const bytes = (fill: number): IssueEffects => ({ now, random: (length) => new Uint8Array(length).fill(fill) })

let caKeys: KeyPair
let keys: KeyPair
let authority: Authority
beforeAll(async () => {
  ;[caKeys, keys] = await Promise.all([createKeys(2048), createKeys(2048)])
  authority = issueAuthority(3650, caKeys, bytes(1))
})

const read = (certificate: string): X509Certificate => new X509Certificate(certificate)
const leafOf = (dns: readonly string[], ips: readonly string[] = [], effects = bytes(2)) =>
  issueLeaf({ names: { dns, ips }, days: 365 }, keys, authority, effects)

describe('issueAuthority', () => {
  test('is a root of its own, from an hour ago on', () => {
    const ca = read(authority.certificate)
    expect(ca.ca).toBe(true)
    expect(ca.subject).toBe('CN=iops-limit CA 41010101')
    expect(ca.issuer).toBe(ca.subject)
    expect(ca.verify(ca.publicKey)).toBe(true)
    expect(ca.validFromDate.toISOString()).toBe('2026-03-01T11:00:00.000Z')
    expect(ca.validToDate.toISOString()).toBe('2036-02-27T12:00:00.000Z')
    expect(authority.notAfter).toEqual(ca.validToDate)
    expect(authority.keys).toBe(caKeys)
  })

  test('reaches past the year 2050, where the encoding of dates changes', () => {
    const ca = read(issueAuthority(36_500, caKeys, bytes(1)).certificate)
    expect(ca.validToDate.toISOString()).toBe('2126-02-05T12:00:00.000Z')
  })
})

describe('issueLeaf', () => {
  test('serves its names, and is signed by the authority', () => {
    const leaf = read(leafOf(['a.svc', '*.b.svc'], ['10.0.0.1', 'fd00::1']).certificate)
    const ca = read(authority.certificate)
    expect(leaf.ca).toBe(false)
    expect(leaf.checkIssued(ca)).toBe(true)
    expect(leaf.verify(ca.publicKey)).toBe(true)
    expect(leaf.subjectAltName).toBe(
      'DNS:a.svc, DNS:*.b.svc, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1',
    )
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(leaf.checkHost('x.b.svc')).toBe('*.b.svc')
    expect(leaf.checkHost('iops-limit-webhook')).toBeUndefined()
    expect(leaf.validFromDate.toISOString()).toBe('2026-03-01T11:00:00.000Z')
    expect(leaf.validToDate.toISOString()).toBe('2027-03-01T12:00:00.000Z')
  })

  test('never outlives its authority', () => {
    const short = issueAuthority(3, caKeys, bytes(1))
    const names = { dns: ['a.svc'], ips: [] }
    const leaf = issueLeaf({ names, days: 365 }, keys, short, bytes(2))
    expect(leaf.notAfter).toEqual(short.notAfter)
    expect(read(leaf.certificate).validToDate).toEqual(short.notAfter)
  })

  test('is a pure function of what it is given', () => {
    expect(leafOf(['a.svc'])).toEqual(leafOf(['a.svc']))
    expect(leafOf(['a.svc'], [], bytes(3)).certificate).not.toBe(leafOf(['a.svc']).certificate)
  })

  test('is PEM with plain line ends, as files and Secrets want it', () => {
    expect(leafOf(['a.svc']).certificate).toMatch(
      /^-----BEGIN CERTIFICATE-----\n([\w+/=]+\n)+-----END CERTIFICATE-----\n$/,
    )
  })

  test.each([0, 1, 0x40, 0x7f, 0x80, 0xff])(
    'keeps a serial of 16 bytes positive, from bytes of %i',
    (fill) => {
      const { serialNumber } = read(leafOf(['a.svc'], [], bytes(fill)).certificate)
      const first = ((fill & 0x3f) | 0x40).toString(16)
      const others = fill.toString(16).padStart(2, '0')
      expect(serialNumber.toLowerCase()).toBe(first + others.repeat(15))
    },
  )

  test('carries any IP address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        const parsed = parseNames({ dns: [], ips: [ip] })
        if (!parsed.ok) throw new Error(`not taken: ${ip}`)
        expect(read(leafOf([], parsed.value.ips).certificate).checkIP(ip)).toBeDefined()
      }),
      { numRuns: 60 },
    )
  })

  test('names the key of its authority by the hash that the authority gives itself', () => {
    const spki = read(authority.certificate).publicKey.export({ type: 'pkcs1', format: 'der' })
    const id = createHash('sha1').update(spki).digest()
    const holds = (certificate: string): boolean => read(certificate).raw.includes(id)
    expect(holds(authority.certificate)).toBe(true)
    expect(holds(leafOf(['a.svc']).certificate)).toBe(true)
  })
})

describe('createKeys', () => {
  test('gives RSA keys of the size asked for, never the same', async () => {
    const pairs = await Promise.all([createKeys(2048), createKeys(3072)])
    expect(pairs.map(({ publicKey }) => publicKey.length)).toEqual([451, 625])
    expect(pairs[0].privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect((await createKeys(2048)).privateKey).not.toBe(pairs[0].privateKey)
  })
})
