/** What a webhook needs on disk, in a directory of its own. */
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestCertificates, type TestCertificates } from './certificates.ts'

export interface WebhookFiles extends AsyncDisposable {
  readonly directory: string
  /** Of the certificate authority, PEM. */
  readonly ca: string
  /** Of the four file options, and two free ports of 127.0.0.1. */
  readonly argv: readonly string[]
}

/** The namespace of the recorded reviews, opted in to the policy `gold` of the fixtures. */
export const NAMESPACES = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: rec, labels: {iops-limit/enforce: gold}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: default}}
`

const GOLD = fileURLToPath(new URL('../../fixtures/policies/gold.yaml', import.meta.url))

export async function createWebhookFiles(certificates?: TestCertificates): Promise<WebhookFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'iops-limit-'))
  const made = certificates ?? (await createTestCertificates())
  const at = (name: string): string => join(directory, name)
  await writePair(directory, made)
  await copyFile(GOLD, at('policies.yaml'))
  await writeFile(at('namespaces.yaml'), NAMESPACES)
  return {
    directory,
    ca: made.ca,
    argv: [
      ...['--policy-file', at('policies.yaml'), '--namespaces-file', at('namespaces.yaml')],
      ...['--tls-cert', at('tls.crt'), '--tls-key', at('tls.key')],
      ...['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0'],
    ],
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Over what stands there, one file after the other, each as a whole. */
export async function writePair(directory: string, { cert, key }: TestCertificates): Promise<void> {
  await replaceFile(join(directory, 'tls.crt'), cert)
  await replaceFile(join(directory, 'tls.key'), key)
}

/** Whoever reads the file meanwhile finds the old text or the new one, never half of it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
