/** HTTPS servers that stand in for a kubelet and for an API server, each as well or as badly behaved as a test wants. */

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createTestCertificates, type TestCertificates } from '../https/certificates.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface StandIn extends AsyncDisposable {
  readonly port: number
  /** Paths with query, in order. */
  readonly calls: readonly string[]
  /** How it answers from now on. */
  answer: Answer
  /** A token and a CA as a service account mounts them. */
  readonly account: string
  /** Refuses connections, and ends those that are open, until {@link StandIn.start}. */
  stop(): Promise<void>
  start(): Promise<void>
}

let shared: Promise<TestCertificates> | undefined

/** Keys take a moment to make: one pair serves all stand-ins of a test file. */
export const standInCertificates = (): Promise<TestCertificates> => (shared ??= createTestCertificates())

export async function startStandIn(answer: Answer, given?: TestCertificates): Promise<StandIn> {
  const certificates = given ?? (await standInCertificates())
  const account = mkdtempSync(path.join(tmpdir(), 'iops-limit-account-'))
  mkdirSync(account, { recursive: true })
  writeFileSync(path.join(account, 'ca.crt'), certificates.ca)
  writeFileSync(path.join(account, 'token'), 'first')
  const calls: string[] = []
  const open = async (port: number): Promise<Server> => {
    const server = createServer({ key: certificates.key, cert: certificates.cert }, (request, response) => {
      calls.push(request.url ?? '')
      standIn.answer(request, response)
    })
    // As the kubelet's and the API server's: longer than any pause between two calls.
    server.keepAliveTimeout = 120_000
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  let server = await open(0)
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const standIn: StandIn = {
    port,
    calls,
    answer,
    account,
    stop,
    start: async () => {
      server = await open(port)
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      rmSync(account, { recursive: true, force: true })
    },
  }
  return standIn
}

export const json = (body: unknown, status = 200): Answer => {
  const text = JSON.stringify(body)
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(text)
  }
}

export interface ApiStandIn {
  readonly answer: Answer
  /** Changes what a list gives, and tells all that watch. */
  put(pod: { readonly metadata: object }): void
  remove(namespace: string, name: string): void
  /** Ends all watches, with this line first. */
  breakWatches(line?: object): void
}

/** Lists and watches of pods, in memory. */
export function createApiStandIn(...pods: readonly { readonly metadata: object }[]): ApiStandIn {
  let version = 10
  const items = new Map<string, object>()
  const watches = new Set<ServerResponse>()
  const keyOf = (pod: { readonly metadata: object }): string => {
    const { namespace, name } = pod.metadata as { readonly namespace: string; readonly name: string }
    return `${namespace}/${name}`
  }
  const tell = (type: string, pod: object): void => {
    for (const watch of watches) watch.write(`${JSON.stringify({ type, object: pod })}\n`)
  }
  const put: ApiStandIn['put'] = (pod) => {
    version += 1
    const stored = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } }
    const type = items.has(keyOf(pod)) ? 'MODIFIED' : 'ADDED'
    items.set(keyOf(pod), stored)
    tell(type, stored)
  }
  for (const pod of pods) put(pod)
  return {
    put,
    remove: (namespace, name) => {
      const pod = items.get(`${namespace}/${name}`)
      items.delete(`${namespace}/${name}`)
      if (pod !== undefined) tell('DELETED', pod)
    },
    breakWatches: (line) => {
      for (const watch of watches) watch.end(line === undefined ? '' : `${JSON.stringify(line)}\n`)
      watches.clear()
    },
    answer: (request, response) => {
      if (request.method === 'POST') return json({ kind: 'Event' }, 201)(request, response)
      if (new URL(request.url ?? '', 'https://x').searchParams.get('watch') === null) {
        const metadata = { resourceVersion: String(version) }
        return json({ kind: 'PodList', metadata, items: [...items.values()] })(request, response)
      }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders()
      watches.add(response)
      response.on('close', () => watches.delete(response))
    },
  }
}

/** The environment of an enforcer whose kubelet and API server these are. */
export const standInEnv = (kubelet: StandIn | undefined, api?: StandIn): Record<string, string> => ({
  NODE_NAME: 'node-a',
  KUBELET_HOST: '127.0.0.1',
  KUBELET_PORT: String(kubelet?.port ?? 1),
  SERVICE_ACCOUNT_PATH: (kubelet ?? api)?.account ?? '',
  ...(kubelet && { KUBELET_CA_PATH: path.join(kubelet.account, 'ca.crt') }),
  ...(api && { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) }),
})
