/** All that a webhook's certificates live by: an authority, a serving certificate, and what a rotation needs beside them. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Authority, Issued } from './issue.ts'

export interface Leaf extends Issued {
  /** PEM, PKCS #8. */
  readonly key: string
}

/** An authority that signs no more, and is trusted for a while yet. */
export interface Former {
  /** PEM. */
  readonly certificate: string
  readonly until: Date
}

export interface Material {
  /** Who signed the leaf, and will sign the next one. */
  readonly authority: Authority
  /** Trusted already, signs later. */
  readonly next?: Authority
  readonly former?: Former
  readonly leaf: Leaf
}

/** Names to texts: the data of a Secret. */
export type Files = Readonly<Record<string, string>>

/** Everything that clients are to trust, PEM. */
export const formatBundle = ({ authority, next, former }: Material): string =>
  [authority, next, former].flatMap((one) => (one === undefined ? [] : [one.certificate])).join('')

export function formatMaterial(material: Material): Files {
  const { authority, next, former, leaf } = material
  return {
    'ca.crt': formatBundle(material),
    'tls.crt': leaf.certificate,
    'tls.key': leaf.key,
    'signer.crt': authority.certificate,
    'signer.key': authority.keys.privateKey,
    ...(next && { 'next.crt': next.certificate, 'next.key': next.keys.privateKey }),
    ...(former && { 'former.crt': former.certificate, 'former.until': former.until.toISOString() }),
  }
}

/** What {@link formatMaterial} wrote; a text is what is wrong with it. */
export function parseMaterial(files: Files): Material | string {
  try {
    const authority = readAuthority(files, 'signer')
    const leaf = readLeaf(files, authority)
    const next = files['next.crt'] === undefined ? undefined : readAuthority(files, 'next')
    const former = files['former.crt'] === undefined ? undefined : readFormer(files)
    return { authority, leaf, ...(next && { next }), ...(former && { former }) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function readAuthority(files: Files, name: 'signer' | 'next'): Authority {
  const { certificate, x509, publicKey, privateKey } = readPair(files, `${name}.crt`, `${name}.key`)
  if (!x509.ca) throw new Error(`${name}.crt is not the certificate of an authority`)
  return { certificate, notAfter: x509.validToDate, keys: { publicKey, privateKey } }
}

function readLeaf(files: Files, { certificate: issuer }: Authority): Leaf {
  const { certificate, x509, privateKey } = readPair(files, 'tls.crt', 'tls.key')
  if (!x509.verify(new X509Certificate(issuer).publicKey))
    throw new Error('tls.crt is not signed by signer.crt')
  return { certificate, notAfter: x509.validToDate, key: privateKey }
}

function readFormer(files: Files): Former {
  const certificate = readText(files, 'former.crt')
  readCertificate(certificate, 'former.crt')
  const until = new Date(readText(files, 'former.until'))
  if (Number.isNaN(until.getTime())) throw new Error('former.until is no point in time')
  return { certificate, until }
}

interface Pair {
  readonly certificate: string
  readonly x509: X509Certificate
  readonly publicKey: string
  readonly privateKey: string
}

function readPair(files: Files, certificateName: string, keyName: string): Pair {
  const certificate = readText(files, certificateName)
  const privateKey = readText(files, keyName)
  const x509 = readCertificate(certificate, certificateName)
  if (!x509.checkPrivateKey(readKey(privateKey, keyName)))
    throw new Error(`${keyName} is not the key of ${certificateName}`)
  const publicKey = x509.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { certificate, x509, publicKey, privateKey }
}

function readText(files: Files, name: string): string {
  const text = files[name]
  if (text === undefined || text === '') throw new Error(`${name} is missing`)
  return text
}

function readCertificate(text: string, name: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (cause) {
    throw new Error(`${name} is not a certificate`, { cause })
  }
}

function readKey(text: string, name: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw new Error(`${name} is not a private key`, { cause })
  }
}
