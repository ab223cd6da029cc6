/** A certificate and its key, as PEM files hold them. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { bad, ok, type Problem, type Result } from '../../contract/problem.ts'
import type { Source } from '../policy/load.ts'

export interface TlsPair {
  /** PEM, the serving certificate first. */
  readonly cert: string
  readonly key: string
  readonly notAfter: Date
}

/**
 * Certificate first, key second. A pair of which one half is newer than the other does not match, and is refused.
 * Half a pair is no pair; which half is missing has been told by whoever reads the settings.
 */
export function parseTlsPair([cert, key]: readonly Source[]): Result<TlsPair> {
  if (cert === undefined || key === undefined) return bad()
  const certificate = attempt(() => new X509Certificate(cert.text))
  const privateKey = attempt(() => createPrivateKey(key.text))
  const problems: Problem[] = []
  if (certificate === undefined) problems.push(notACertificate(cert.name))
  if (privateKey === undefined) problems.push(notAKey(key.name))
  if (certificate === undefined || privateKey === undefined) return bad(...problems)
  if (!certificate.checkPrivateKey(privateKey)) return bad(notAPair(cert.name, key.name))
  const pair = { cert: cert.text, key: key.text, notAfter: certificate.validToDate }
  // The last word is OpenSSL's: a chain that is cut off, a key that is too short for it.
  const context = attempt(() => createSecureContext(pair))
  return context === undefined ? bad(notACertificate(cert.name)) : ok(pair)
}

/** PEM certificates of whoever signs for clients. */
export function parseAuthority([source]: readonly Source[]): Result<string> {
  if (source === undefined) return bad()
  const { name, text } = source
  if (attempt(() => new X509Certificate(text)) !== undefined) return ok(text)
  return bad({
    field: name,
    reason: 'is not a certificate of an authority',
    cure: "name a file of PEM certificates, such as the cluster's client CA",
  })
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

const notACertificate = (field: string): Problem => ({
  field,
  reason: 'is not a certificate that can be served',
  cure: 'name a file of PEM certificates, the serving one first ("iops-limit certs" makes one)',
})

const notAKey = (field: string): Problem => ({
  field,
  reason: 'is not a private key that can be read',
  cure: "name a file with the certificate's key as PEM, not encrypted",
})

const notAPair = (cert: string, key: string): Problem => ({
  field: key,
  reason: `is not the key of ${cert}`,
  cure: 'name the two files of one certificate',
})
