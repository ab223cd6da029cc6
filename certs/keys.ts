import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyPair } from './issue.ts'

/**
 * RSA, since node-forge signs with nothing else. NIST SP 800-57 trusts 2048 bits up to the year 2030 and 3072 beyond:
 * an authority lives for years, a serving certificate for one or two, and its handshakes cost a third so.
 */
export const AUTHORITY_BITS = 3072
export const LEAF_BITS = 2048

/** A new key pair, made off the main thread. */
export async function createKeys(bits: number): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}
