/** A certificate that a client shows, as the API server does. */
import { randomBytes } from 'node:crypto'
import forge from 'node-forge'
import type { Authority } from '../../../certs/issue.ts'
import { createKeys, LEAF_BITS } from '../../../certs/keys.ts'

export interface ClientCertificate {
  /** Both PEM. */
  readonly cert: string
  readonly key: string
}

/** For `clientAuth` unless another usage is named (RFC 5280, 4.2.1.12). */
export async function issueClient(
  commonName: string,
  authority: Authority,
  usage: object = { clientAuth: true },
): Promise<ClientCertificate> {
  const keys = await createKeys(LEAF_BITS)
  const draft = forge.pki.createCertificate()
  draft.publicKey = forge.pki.publicKeyFromPem(keys.publicKey)
  draft.serialNumber = `40${randomBytes(15).toString('hex')}`
  draft.validity.notBefore = new Date(Date.now() - 3_600_000)
  draft.validity.notAfter = new Date(Date.now() + 3_600_000)
  draft.setSubject([{ name: 'commonName', value: commonName }])
  draft.setIssuer(forge.pki.certificateFromPem(authority.certificate).subject.attributes)
  draft.setExtensions([{ name: 'extKeyUsage', ...usage }])
  draft.sign(forge.pki.privateKeyFromPem(authority.keys.privateKey), forge.md.sha256.create())
  return { cert: forge.pki.certificateToPem(draft), key: keys.privateKey }
}
