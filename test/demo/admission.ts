/** Steps 1 to 3: certificates, the webhook, and the recorded AdmissionReviews through it. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import jsonpatch, { type Operation } from 'fast-json-patch'
import type { AdmissionReviewResponse } from '../../webhook/admission/response.ts'
import { createClient } from '../support/https/client.ts'
import { startWebhook } from '../support/https/webhook.ts'
import { findResponseFaults, patchOf, type RecordedPod, type RecordedReview } from '../support/reviews.ts'
import { DEMO_CASES, type DemoCase } from './cases.ts'
import { check, say } from './say.ts'

const program = (name: string): string => new URL(`../../dist/${name}.js`, import.meta.url).pathname
const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname

/** Runs one of our programs to its end; what it printed. */
export async function runProgram(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program(name), ...args], {
    env: { ...process.env, ...env },
  })
  return stdout
}

/** The folder that then holds ca.crt, tls.crt and tls.key. */
export async function makeCertificates(folder: string): Promise<string> {
  const out = path.join(folder, 'certificates')
  await runProgram('iops-limit', ['certs', '--out', out, '--dns', 'localhost', '--ip', '127.0.0.1'])
  say.line('   a CA, and from it a serving certificate for localhost and 127.0.0.1')
  return out
}

export interface Admitted {
  readonly case: DemoCase
  readonly pod: RecordedPod
}

type Send = (review: RecordedReview) => Promise<AdmissionReviewResponse>

/** Serves while `use` sends, then stops; also where `use` or the world ends early. */
export async function withWebhook<T>(
  certificates: string,
  interrupted: Promise<never>,
  use: (send: Send) => Promise<T>,
): Promise<T> {
  const at = (name: string): string => path.join(certificates, name)
  const argv = [
    '--policy-file',
    fixture('policies/gold.yaml'),
    '--namespaces-file',
    fixture('namespaces.yaml'),
  ]
  const tls = [
    '--tls-cert',
    at('tls.crt'),
    '--tls-key',
    at('tls.key'),
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--metrics-port',
    '0',
  ]
  await using webhook = await startWebhook([...argv, ...tls, '--shutdown-delay', '0s'], {}, [
    program('iops-limit-webhook'),
  ])
  const client = createClient(webhook.origin, { ca: readFileSync(at('ca.crt')), servername: 'localhost' })
  say.line(`   ${webhook.origin}/mutate with the policy of test/fixtures/policies/gold.yaml`)
  try {
    const used = await Promise.race([use((review) => send(client, review)), interrupted])
    webhook.terminate()
    check((await Promise.race([webhook.exit, interrupted])) === 0, 'the webhook did not end in good order')
    return used
  } finally {
    client.close()
  }
}

async function send(
  client: ReturnType<typeof createClient>,
  review: RecordedReview,
): Promise<AdmissionReviewResponse> {
  const { status, body } = await client.review(review, '?timeout=10s')
  check(status === 200, `the webhook answered ${status}: ${body}`)
  const response = JSON.parse(body) as AdmissionReviewResponse
  const faults = findResponseFaults(review.request.uid, response)
  check(faults.length === 0, `the API server would not take the answer: ${faults.join(', ')}`)
  return response
}

/** Each case through the webhook, its patch carried out as the API server would; the pods that run then. */
export async function admitReviews(sendReview: Send): Promise<readonly Admitted[]> {
  say.title('3. Admission', 'AdmissionReviews as a Kubernetes 1.35 API server sent them')
  const rows = [['pod', 'asks for', 'answer', 'admitted with (* filled in by the policy)']]
  const notes: (readonly [string, string])[] = []
  const admitted: Admitted[] = []
  for (const demoCase of DEMO_CASES) {
    const review = demoCase.review()
    const answered = await sendReview(review)
    const { allowed, status, warnings = [] } = answered.response
    const pod = patched(review, answered)
    demoCase.verify({ response: answered.response, annotations: pod.metadata.annotations ?? {} })
    rows.push([
      `${review.request.namespace ?? ''}/${demoCase.name}`,
      demoCase.asks,
      nameAnswer(demoCase, allowed),
      allowed ? describeLimits(pod) : '-',
    ])
    if (status !== undefined) notes.push([`${demoCase.name} is refused`, status.message])
    notes.push(...warnings.map((warning) => [`${demoCase.name} is warned`, warning] as const))
    if (allowed && review.request.dryRun !== true) admitted.push({ case: demoCase, pod })
  }
  say.table(rows)
  for (const [about, text] of notes) say.note(about, text)
  return admitted
}

function patched(review: RecordedReview, answered: AdmissionReviewResponse): RecordedPod {
  const { object } = review.request
  if (object === null) throw new Error('the recorded review has no object')
  return jsonpatch.applyPatch(object, patchOf(answered) as Operation[], true, false).newDocument
}

const nameAnswer = ({ kind }: DemoCase, allowed: boolean): string => (allowed ? kind : 'refused (403)')

/** `read-iops=500* write-iops=500* by gold/everything-else`. */
function describeLimits({ metadata: { annotations = {} } }: RecordedPod): string {
  const given = annotations ?? {}
  const defaulted = (given['iops-limit/defaulted'] ?? '').split(',')
  const mark = given['iops-limit/policy']
  const limits = Object.entries(given)
    .filter(([key]) => /^iops-limit\/(limit|bps|scope|(read|write)-(iops|bps))$/.test(key))
    .map(([key, value]) => [key.slice('iops-limit/'.length), value] as const)
    .map(([name, value]) => `${name}=${value}${defaulted.includes(name) ? '*' : ''}`)
  return `${limits.join(' ') || 'no limits'}${mark === undefined ? ', not enforced' : ` by ${mark}`}`
}
