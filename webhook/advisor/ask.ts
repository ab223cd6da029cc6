/** What one enforcer says of its node, page by page, over plain HTTP. Whatever it answers, the answer is bounded. */
import { get, type IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { formatProblem, messageOf } from '../../contract/problem.ts'
import { parseUsagePage, type UsagePage, type UsageRow } from './page.ts'

/** Why a node told nothing: `refused` by a status other than 200; `no-token`: there is none to show. */
export type Failure = 'refused' | 'unreadable' | 'too-long' | 'late' | 'unreachable' | 'no-token'

export type NodeAnswer =
  | { readonly outcome: 'answered'; readonly rows: readonly UsageRow[] }
  | { readonly outcome: Failure; readonly reason: string }

/** What is of interest of a node; nothing else of its answer is kept. */
export interface Wanted {
  /** Of pods. */
  readonly uids: ReadonlySet<string>
  /** The only one that they are in, where there is but one. */
  readonly namespace?: string
}

/** Never rejects. */
export type AskNode = (address: string, wanted: Wanted, signal: AbortSignal) => Promise<NodeAnswer>

export interface AskDeps {
  readonly port: number
  /** The bearer token as it is now; undefined: none is shown. */
  readonly readToken: () => Promise<string | undefined>
  readonly now: () => Date
  /** Milliseconds for all pages together; 8,000 where it is left out. */
  readonly timeout?: number
}

/** Items a page: some 250 KiB. */
const PAGE_SIZE = 250
const LONGEST_PAGE = 2 ** 20
/** 10,000 cgroups times disks. */
const MOST_PAGES = 40
const TIMEOUT = 8_000

export function createAsk({ port, readToken, now, timeout = TIMEOUT }: AskDeps): AskNode {
  return async (address, wanted, signal) => {
    const late = AbortSignal.timeout(timeout)
    try {
      const token = await readToken().catch((error: unknown) => {
        throw new AskError('no-token', messageOf(error))
      })
      const asking = { now, token, signal: AbortSignal.any([signal, late]) }
      const rows = await askPages((next) => findUrl({ address, port, ...wanted, next }), wanted, asking)
      return { outcome: 'answered', rows }
    } catch (error) {
      if (late.aborted) return { outcome: 'late', reason: `no whole answer within ${timeout} ms` }
      return error instanceof AskError
        ? { outcome: error.failure, reason: error.message }
        : { outcome: 'unreachable', reason: messageOf(error) }
    }
  }
}

interface Asking {
  readonly now: () => Date
  readonly token: string | undefined
  readonly signal: AbortSignal
}

async function askPages(
  urlOf: (next: string | undefined) => URL,
  { uids }: Wanted,
  asking: Asking,
): Promise<readonly UsageRow[]> {
  const rows: UsageRow[] = []
  let next: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const read = await askPage(urlOf(next), asking)
    rows.push(...read.rows.filter(({ uid }) => uids.has(uid)))
    next = read.next
    if (next === undefined) return rows
  }
  throw new AskError('too-long', `more than ${MOST_PAGES} pages`)
}

interface Asked {
  readonly address: string
  readonly port: number
  readonly namespace?: string
  /** What the page before gave as `continue`. */
  readonly next: string | undefined
}

function findUrl({ address, port, namespace, next }: Asked): URL {
  const url = new URL(`http://${isIPv6(address) ? `[${address}]` : address}:${port}/api/v1/containers`)
  url.searchParams.set('limit', String(PAGE_SIZE))
  if (namespace !== undefined) url.searchParams.set('namespace', namespace)
  if (next !== undefined) url.searchParams.set('continue', next)
  return url
}

class AskError extends Error {
  readonly failure: Failure

  constructor(failure: Failure, message: string) {
    super(message)
    this.failure = failure
  }
}

async function askPage(url: URL, { now, token, signal }: Asking): Promise<UsagePage> {
  const answer = await send(url, token, signal)
  const text = await readBounded(answer)
  if (answer.statusCode !== 200)
    throw new AskError('refused', `HTTP ${answer.statusCode ?? 0}: ${text.trim().slice(0, 200)}`)
  const page = parseUsagePage(text, now().getTime())
  if (!page.ok) throw new AskError('unreadable', page.problems.map(formatProblem).join('; '))
  return page.value
}

/** A redirection is an answer like any other: it is not followed. */
const send = (url: URL, token: string | undefined, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...{ accept: 'application/json', 'user-agent': 'iops-limit' },
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }
    get(url, { agent: false, signal, headers }, resolve).on('error', reject)
  })

async function readBounded(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length
    // Leaving the loop ends the connection.
    if (length > LONGEST_PAGE) throw new AskError('too-long', `a page of more than ${LONGEST_PAGE} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
