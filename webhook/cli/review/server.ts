/** The same reviews, asked of a live webhook. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../../../contract/problem.ts'
import { type Fields, isFields } from '../manifest/objects.ts'
import { decodePatch, type Outcome } from './judge.ts'

/** At a time: a webhook takes many more (--max-concurrent). */
const PARALLEL = 16
const TIMEOUT = 10_000

export interface ServerSettings {
  readonly server: string
  readonly serverCa: string | undefined
}

/** Each outcome with what the server says otherwise. Throws where it cannot be asked. */
export async function compareWithServer(
  outcomes: readonly Outcome[],
  { server, serverCa }: ServerSettings,
): Promise<readonly Outcome[]> {
  const given = new URL(server)
  const url = given.pathname === '/' ? new URL('/mutate', given) : given
  const ca = serverCa === undefined ? {} : { ca: readFileSync(serverCa) }
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL, ...ca })
  try {
    return await Promise.all(
      outcomes.map(async (outcome) => {
        if (outcome.verdict === 'unknown-namespace') return outcome
        const answer = await ask(url, agent, outcome.review)
        return { ...outcome, disagreements: findDisagreements(outcome, answer) }
      }),
    )
  } catch (error) {
    throw new Error(`${url.href} cannot be asked: ${messageOf(error)}; see --server and --server-ca`, {
      cause: error,
    })
  } finally {
    agent.destroy()
  }
}

/** The response of the server's AdmissionReview; undefined where it takes the review for none (400), as we do. */
async function ask(url: URL, agent: Agent, review: Fields): Promise<Fields | undefined> {
  const { status, body } = await post(url, agent, JSON.stringify(asDryRun(review), toNumber))
  if (status === 400) return undefined
  if (status !== 200) throw new Error(`HTTP ${status}: ${body.slice(0, 200)}`)
  const answer: unknown = JSON.parse(body)
  const response = isFields(answer) ? answer['response'] : undefined
  if (!isFields(response)) throw new Error('its answer is not an AdmissionReview')
  return response
}

/** No decision looks at a number that is so large. */
const toNumber = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

/** Recorded reviews may have been for real. */
const asDryRun = (review: Fields): Fields => ({
  ...review,
  ...(isFields(review['request']) && { request: { ...review['request'], dryRun: true } }),
})

function post(
  url: URL,
  agent: Agent,
  json: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }
    const sent = request(url, { agent, method: 'POST', headers, timeout: TIMEOUT }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject)
    })
    sent
      .on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT / 1000} s`)))
      .on('error', reject)
      .end(json)
  })
}

function findDisagreements(outcome: Outcome, answer: Fields | undefined): readonly string[] {
  const isRefused = outcome.verdict === 'refused'
  const allowed = answer !== undefined && answer['allowed'] === true
  if (allowed === isRefused)
    return [`the server ${allowed ? 'allows' : 'refuses'} it${allowed ? '' : `: ${messageIn(answer)}`}`]
  if (answer === undefined) return []
  const patch = typeof answer['patch'] === 'string' ? decodePatch(answer['patch']) : []
  const warnings = answer['warnings'] ?? []
  return [
    ...(isDeepStrictEqual(patch, outcome.patch) ? [] : [`the server's patch is ${JSON.stringify(patch)}`]),
    ...(isDeepStrictEqual(warnings, outcome.warnings)
      ? []
      : [`the server warns: ${JSON.stringify(warnings)}`]),
  ]
}

const messageIn = (answer: Fields | undefined): string => {
  const status = answer?.['status']
  return isFields(status) && typeof status['message'] === 'string'
    ? status['message']
    : 'it takes this for no pod'
}
