/** The main job, visibly, on this machine: policy, admission over HTTPS, enforcement. Exit code 0 only if every step held. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { messageOf } from '../../contract/problem.ts'
import { findObstacle } from '../support/kernel/kernel.ts'
import { admitReviews, makeCertificates, withWebhook } from './admission.ts'
import { enforceForReal } from './enforceForReal.ts'
import { enforceOnStandIn } from './enforceOnStandIn.ts'
import { say } from './say.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'iops-limit-demo-'))

/** Whatever ends the demo ends what it started: every step cleans up behind itself when the promise is rejected. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => reject(new Error(`interrupted by ${signal}`)))
})

async function run(): Promise<void> {
  say.title('1. Certificates', 'iops-limit certs')
  const certificates = await makeCertificates(folder)
  say.title('2. The webhook', 'iops-limit-webhook, real HTTPS, no cluster')
  const admitted = await withWebhook(certificates, interrupted, admitReviews)
  const obstacle = findObstacle()
  if (obstacle === undefined) await enforceForReal(admitted, folder, interrupted)
  else await enforceOnStandIn(admitted, folder, obstacle)
}

try {
  await Promise.race([run(), interrupted])
  say.line('\nEvery step held.')
} catch (error) {
  say.line(`\nFAILED: ${messageOf(error)}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
