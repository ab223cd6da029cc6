/** Asking real enforcers over real sockets, and servers that are none. */
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createAsk, type NodeAnswer } from '../../../webhook/advisor/ask.ts'
import { createRecordedNode, markedPods } from '../../support/kernel/recordedNode.ts'
import { startEnforcer, writePods } from '../../support/kernel/runEnforcer.ts'
import { until } from '../../support/until.ts'

const servers = new Set<Server>()

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  servers.clear()
})

async function listen(answer: RequestListener, host = '127.0.0.1'): Promise<number> {
  const server = createServer(answer)
  servers.add(server)
  server.listen(0, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const now = (): Date => new Date(1_000_000)
const goesOn = new AbortController().signal
/** Of a pod of the recorded node. */
const BATCH = '81914830-d223-4b36-87c5-ad1646bad374'
const WANTED = { uids: new Set(['a', 'b']), namespace: 'team' }

const itemOf = (uid: string): object => ({ uid, container: null, usage: { gap: 'none' } })

async function ask(answer: RequestListener, timeout = 4000): Promise<NodeAnswer> {
  const port = await listen(answer)
  return createAsk({ port, readToken: () => Promise.resolve('secret'), now, timeout })(
    '127.0.0.1',
    WANTED,
    goesOn,
  )
}

describe('an enforcer', () => {
  it('is asked page by page, for one namespace where that is all, with the token', async () => {
    const seen: unknown[] = []
    const answer = await ask(({ url, headers, method }, response) => {
      seen.push([method, url, headers.authorization])
      const isFirst = url?.includes('continue') === false
      response.end(
        JSON.stringify({
          items: [itemOf(isFirst ? 'a' : 'b'), itemOf('of no interest')],
          ...(isFirst && { continue: 'x/y' }),
        }),
      )
    })
    expect(answer).toEqual({
      outcome: 'answered',
      rows: ['a', 'b'].map((uid) => ({ uid, container: null })),
    })
    expect(seen).toEqual([
      ['GET', '/api/v1/containers?limit=250&namespace=team', 'Bearer secret'],
      ['GET', '/api/v1/containers?limit=250&namespace=team&continue=x%2Fy', 'Bearer secret'],
    ])
  })

  it('is asked for everything, and without a token, where there is none; by IPv6 too', async () => {
    const seen: unknown[] = []
    const port = await listen(({ url, headers }, response) => {
      seen.push([url, headers.authorization])
      response.end('{"items": []}')
    }, '::1')
    const askNode = createAsk({ port, readToken: () => Promise.resolve(undefined), now })
    expect(await askNode('::1', { uids: WANTED.uids }, goesOn)).toEqual({ outcome: 'answered', rows: [] })
    expect(seen).toEqual([['/api/v1/containers?limit=250', undefined]])
  })

  it('that is real gives what it counts', async () => {
    const node = createRecordedNode()
    for (const name of readdirSync(node.folder, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('io.max')) writeFileSync(join(node.folder, dirname(name), 'io.stat'), '')
    const pods = writePods(node.folder, markedPods())
    const argv = [
      '--pods-file',
      pods,
      '--events=false',
      '--check-interval',
      '200ms',
      '--usage-interval',
      '1s',
    ]
    await using enforcer = startEnforcer(argv, {
      env: { ...node.env, SMART_LIMIT_USE_KUBELET_API: 'false' },
    })
    const port = Number(new URL(await enforcer.origin()).port)
    const askNode = createAsk({ port, readToken: () => Promise.resolve(undefined), now: () => new Date() })
    const told = async () => {
      const answer = await askNode('127.0.0.1', { uids: new Set([BATCH]) }, goesOn)
      return answer.outcome === 'answered' ? answer.rows.filter(({ usage }) => usage !== undefined) : []
    }
    await until(async () => (await told()).length > 0)
    const [row] = await told()
    expect(row?.uid).toBe(BATCH)
    expect(row?.usage?.rates).toEqual({ readIOPS: 0, writeIOPS: 0, readBPS: 0, writeBPS: 0 })
    expect(Math.abs(Date.now() - (row?.usage?.at ?? 0))).toBeLessThan(60_000)
    node.dispose()
  })
})

describe('what is no answer', () => {
  it('a refusal is told with its words', async () => {
    const answer = await ask((_, response) => {
      response.writeHead(403).end('{"error":"you may not look"}\n')
    })
    expect(answer).toEqual({ outcome: 'refused', reason: 'HTTP 403: {"error":"you may not look"}' })
  })

  it('a redirection is not followed', async () => {
    let isReached = false
    const elsewhere = await listen((_, response) => {
      isReached = true
      response.end('{"items": []}')
    })
    const answer = await ask((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}/` }).end()
    })
    expect(answer).toEqual({ outcome: 'refused', reason: 'HTTP 302: ' })
    expect(isReached).toBe(false)
  })

  it('something else than a page', async () => {
    expect(await ask((_, response) => void response.end('<html>'))).toEqual({
      outcome: 'unreadable',
      reason: 'page: is missing, not a map; write a map of keys and values',
    })
  })

  it('a page without end is left in the middle', async () => {
    let isLeft = false
    const answer = await ask((_, response) => {
      const chunk = 'x'.repeat(2 ** 16)
      const push = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', push)
      }
      response.once('close', () => {
        isLeft = true
      })
      push()
    })
    expect(answer).toEqual({ outcome: 'too-long', reason: 'a page of more than 1048576 bytes' })
    await until(() => isLeft)
  })

  it('pages without end', async () => {
    const answer = await ask((_, response) => void response.end('{"items": [], "continue": "again"}'))
    expect(answer).toEqual({ outcome: 'too-long', reason: 'more than 40 pages' })
  })

  it('nothing at all within the time, or but the first half', async () => {
    const late = { outcome: 'late', reason: 'no whole answer within 200 ms' }
    expect(await ask(() => undefined, 200)).toEqual(late)
    expect(await ask((_, response) => void response.write('{"items": ['), 200)).toEqual(late)
  })

  it('a connection that ends', async () => {
    const answer = await ask(({ socket }) => void socket.destroy())
    expect(answer).toEqual({ outcome: 'unreachable', reason: 'socket hang up' })
  })

  it('nobody there', async () => {
    const port = await listen(() => undefined)
    for (const server of servers) await new Promise((resolve) => server.close(resolve))
    servers.clear()
    const askNode = createAsk({ port, readToken: () => Promise.resolve('t'), now })
    expect(await askNode('127.0.0.1', WANTED, goesOn)).toEqual({
      outcome: 'unreachable',
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
    })
  })

  it('no token to be had: nobody is asked', async () => {
    let isAsked = false
    const port = await listen(() => {
      isAsked = true
    })
    const askNode = createAsk({
      port,
      readToken: () => Promise.reject(new Error('ENOENT: no such file')),
      now,
    })
    expect(await askNode('127.0.0.1', WANTED, goesOn)).toEqual({
      outcome: 'no-token',
      reason: 'ENOENT: no such file',
    })
    expect(isAsked).toBe(false)
  })
})
