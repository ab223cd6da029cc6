/** As much of an API server as webhooks need that list and watch: namespaces, policies and Pepr's stores, which never change. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import type { Inputs } from './inputs.ts'

export interface Cluster {
  readonly port: number
  /** A file. */
  readonly kubeconfig: string
  /** A folder as the kubelet mounts it into pods. */
  readonly serviceAccount: string
}

/** Pepr's controller takes no review before it has got its stores by name and heard of them by a list. */
function listPeprStores(): readonly (readonly [string, string])[] {
  const path = '/apis/pepr.dev/v1/namespaces/pepr-system/peprstores'
  const stores = ['pepr-bench-store', 'pepr-bench-schedule'].map((name) => ({
    apiVersion: 'pepr.dev/v1',
    kind: 'PeprStore',
    metadata: { name, namespace: 'pepr-system', uid: name, resourceVersion: '1' },
    data: {},
  }))
  const list = {
    apiVersion: 'pepr.dev/v1',
    kind: 'PeprStoreList',
    metadata: { resourceVersion: '1' },
    items: stores,
  }
  return [
    [path, JSON.stringify(list)],
    ...stores.map((store) => [`${path}/${store.metadata.name}`, JSON.stringify(store)] as const),
  ]
}

/** Never keeps the process alive. */
export async function serveCluster({
  folder,
  ca,
  cert,
  key,
  namespaces,
  policies,
}: Inputs): Promise<Cluster> {
  const collections = new Map([
    ['/api/v1/namespaces', readFileSync(namespaces, 'utf8')],
    ['/apis/policy.iops-limit/v1alpha1/iolimitpolicies', readFileSync(policies, 'utf8')],
    ...listPeprStores(),
  ])
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (req, res) =>
    answer(collections, req, res),
  )
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP address')
  const { port } = address
  const kubeconfig = join(folder, `kubeconfig-${port}`)
  writeFileSync(kubeconfig, JSON.stringify(formatKubeconfig(`https://127.0.0.1:${port}`, ca)))
  const serviceAccount = join(folder, 'serviceaccount')
  mkdirSync(serviceAccount, { recursive: true })
  writeFileSync(join(serviceAccount, 'ca.crt'), readFileSync(ca))
  writeFileSync(join(serviceAccount, 'token'), 'bench')
  return { port, kubeconfig, serviceAccount }
}

function answer(collections: ReadonlyMap<string, string>, req: IncomingMessage, res: ServerResponse): void {
  const { pathname, searchParams } = new URL(req.url ?? '', 'https://cluster')
  const collection = collections.get(pathname)
  res.setHeader('Content-Type', 'application/json')
  // The verdict on a policy is taken, and not kept.
  if (req.method === 'PATCH') res.end('{}')
  else if (collection === undefined) res.writeHead(404).end('{"kind":"Status","apiVersion":"v1","code":404}')
  // Nothing ever changes: the watch stays open and silent.
  else if (searchParams.get('watch') !== null) res.flushHeaders()
  else res.end(collection)
}

const formatKubeconfig = (server: string, ca: string): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'bench', cluster: { server, 'certificate-authority': ca } }],
  contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  users: [{ name: 'bench', user: { token: 'bench' } }],
  'current-context': 'bench',
})
