/** An enforcer that says what a test wants, over HTTP, to whoever shows a token that a real API server lets look. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAccess } from '../../../enforcer/usage/access.ts'
import type { KubeClient } from '../../../kube/client.ts'

export interface FakeEnforcer extends AsyncDisposable {
  readonly port: number
  /** Writes a second, by uid of the pod. */
  readonly writes: Map<string, number>
  /** Answers of 200. */
  readonly answered: number
  /** Statuses of all other answers. */
  readonly refusals: readonly number[]
}

/** Each answer tells of the time since the one before. */
export async function startFakeEnforcer(
  client: KubeClient,
  { host, port, audience }: { readonly host: string; readonly port: number; readonly audience: string },
): Promise<FakeEnforcer> {
  const clock = (): number => performance.now()
  const access = createAccess({ client, clock, audiences: [audience] })
  const writes = new Map<string, number>()
  const refusals: number[] = []
  let answered = 0
  let before = clock() - 1000
  const server = createServer((request, response) => {
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    void access.check(token, '/api/v1/containers').then((verdict) => {
      if (verdict.kind !== 'allowed') {
        refusals.push(verdict.status)
        return response.writeHead(verdict.status).end(JSON.stringify({ error: verdict.reason }))
      }
      answered++
      const seconds = (clock() - before) / 1000
      before = clock()
      const items = [...writes].map(([uid, writeIOPS]) => ({
        ...{ uid, container: null },
        usage: { ...{ readIOPS: 0, writeIOPS, readBPS: 0, writeBPS: 0 }, seconds, age: 0 },
      }))
      return response.end(JSON.stringify({ items, total: items.length }))
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    writes,
    refusals,
    get answered() {
      return answered
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
