/** Certificates for tests: from the real room, with shorter keys for the authority. */
import { randomBytes } from 'node:crypto'
import { type Authority, issueAuthority, issueLeaf } from '../../../certs/issue.ts'
import { createKeys, LEAF_BITS } from '../../../certs/keys.ts'

export interface TestCertificates {
  /** All PEM. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export async function createTestAuthority(): Promise<Authority> {
  return issueAuthority(30, await createKeys(LEAF_BITS), { now: new Date(), random: randomBytes })
}

/** For `localhost` and 127.0.0.1. */
export async function createTestCertificates(authority?: Authority): Promise<TestCertificates> {
  const issuer = authority ?? (await createTestAuthority())
  const keys = await createKeys(LEAF_BITS)
  const names = { dns: ['localhost'], ips: ['127.0.0.1'] }
  const effects = { now: new Date(), random: randomBytes }
  const { certificate } = issueLeaf({ names, days: 7 }, keys, issuer, effects)
  return { ca: issuer.certificate, cert: certificate, key: keys.privateKey }
}
