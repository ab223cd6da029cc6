/**
 * X.509 certificates: a certificate authority, and serving certificates from it.
 * A pure function each: keys, clock and randomness come in. Source: RFC 5280.
 */
import forge from 'node-forge'
import type { Names } from './names.ts'
import { CLOCK_SKEW } from './validity.ts'

/** PEM texts: SubjectPublicKeyInfo and unencrypted PKCS #8, RSA. */
export interface KeyPair {
  readonly publicKey: string
  readonly privateKey: string
}

export interface Issued {
  /** PEM. */
  readonly certificate: string
  readonly notAfter: Date
}

export interface Authority extends Issued {
  readonly keys: KeyPair
}

export interface IssueEffects {
  readonly now: Date
  /** So many bytes that nobody can foresee. */
  readonly random: (bytes: number) => Uint8Array
}

/** A self-signed authority that can sign serving certificates and nothing below them. */
export function issueAuthority(days: number, keys: KeyPair, effects: IssueEffects): Authority {
  const draft = createDraft(days, keys, effects)
  // Two authorities live side by side while one follows the other: the name tells them apart.
  const subject = [{ name: 'commonName', value: `iops-limit CA ${draft.serialNumber.slice(0, 8)}` }]
  draft.setSubject(subject)
  draft.setIssuer(subject)
  draft.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ])
  return { ...sign(draft, keys), keys }
}

export interface LeafRequest {
  readonly names: Names
  readonly days: number
}

/** A serving certificate. It never outlives the authority: no client would take it then. */
export function issueLeaf(
  { names, days }: LeafRequest,
  keys: KeyPair,
  authority: Authority,
  effects: IssueEffects,
): Issued {
  const issuer = forge.pki.certificateFromPem(authority.certificate)
  const draft = createDraft(days, keys, effects)
  if (draft.validity.notAfter > issuer.validity.notAfter) {
    draft.validity.notAfter = issuer.validity.notAfter
  }
  // The names stand in the extension only: Go has ignored the common name since 1.15.
  draft.setSubject([{ name: 'commonName', value: 'iops-limit-webhook' }])
  draft.setIssuer(issuer.subject.attributes)
  draft.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: formatAltNames(names) },
    { name: 'subjectKeyIdentifier' },
    {
      name: 'authorityKeyIdentifier',
      keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes(),
    },
  ])
  return sign(draft, authority.keys)
}

const DAY = 24 * 3_600_000

function createDraft(days: number, keys: KeyPair, { now, random }: IssueEffects): forge.pki.Certificate {
  const draft = forge.pki.createCertificate()
  draft.publicKey = forge.pki.publicKeyFromPem(keys.publicKey)
  draft.serialNumber = formatSerial(random(SERIAL_BYTES))
  draft.validity.notBefore = new Date(now.getTime() - CLOCK_SKEW)
  draft.validity.notAfter = new Date(now.getTime() + days * DAY)
  return draft
}

const SERIAL_BYTES = 16

/** A positive INTEGER in its shortest encoding (RFC 5280, 4.1.2.2): the first byte is 0x40 to 0x7f, 126 bits are random. */
function formatSerial([first = 0, ...rest]: Uint8Array): string {
  return Buffer.from([(first & 0x3f) | 0x40, ...rest]).toString('hex')
}

/** GeneralName's tags: 2 dNSName, 7 iPAddress. */
const formatAltNames = ({ dns, ips }: Names): readonly object[] => [
  ...dns.map((value) => ({ type: 2, value })),
  ...ips.map((ip) => ({ type: 7, ip })),
]

function sign(draft: forge.pki.Certificate, { privateKey }: KeyPair): Issued {
  draft.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create())
  const certificate = forge.pki.certificateToPem(draft).replaceAll('\r\n', '\n')
  return { certificate, notAfter: draft.validity.notAfter }
}
