/** The client of the Kubernetes API, against a real API server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/error.ts'
import { openKubeconfig } from '../../kube/kubeconfig.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { namespaceOf } from '../support/cluster/objects.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

describe('requests', () => {
  it('creates, reads, patches and deletes by the connection of a kubeconfig', async () => {
    const client = createKubeClient(openKubeconfig(cluster.kubeconfig), { clock: () => 0 })
    const path = '/api/v1/namespaces'
    await client.request({ method: 'POST', path, body: namespaceOf('made') })
    const patched = await client.request({
      method: 'PATCH',
      path: `${path}/made`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { team: 'a' } } },
    })
    expect(patched).toMatchObject({ metadata: { name: 'made', labels: { team: 'a' } } })
    await client.request({ method: 'DELETE', path: `${path}/made` })
    await expect(client.request({ method: 'GET', path: `${path}/made2` })).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
      message: 'GET /api/v1/namespaces/made2: namespaces "made2" not found (HTTP 404)',
    })
  })

  it('tells each call, by status and path', async () => {
    const calls: unknown[] = []
    const client = createKubeClient(openKubeconfig(cluster.kubeconfig), {
      clock: () => 1,
      onCall: (call) => calls.push(call),
    })
    await client.request({ method: 'GET', path: '/api/v1/namespaces', query: { limit: '1' } })
    await client.request({ method: 'GET', path: '/api/v1/nothing' }).catch(() => undefined)
    expect(calls).toEqual([
      { method: 'GET', watches: false, path: '/api/v1/namespaces', status: 200, seconds: 0 },
      { method: 'GET', watches: false, path: '/api/v1/nothing', status: 404, seconds: 0 },
    ])
  })

  it('speaks as another user', async () => {
    const refused = cluster.clientAs('nobody').request({ method: 'GET', path: '/api/v1/namespaces' })
    await expect(refused).rejects.toMatchObject({ status: 403, reason: 'Forbidden' })
  })

  it('says that nobody is there', async () => {
    const client = createKubeClient(
      { origin: new URL('https://127.0.0.1:1'), readOptions: () => Promise.resolve({}) },
      { clock: () => 0 },
    )
    await expect(client.request({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      status: 0,
      reason: 'Unreachable',
      message: 'GET /x: connect ECONNREFUSED 127.0.0.1:1',
    })
  })

  it('gives up when the time is over', async () => {
    const late = cluster.client.request({
      method: 'GET',
      path: '/api/v1/namespaces',
      query: { watch: 'true' },
      timeout: 200,
    })
    await expect(late).rejects.toThrow(
      new KubeError('GET /api/v1/namespaces: no whole answer within 200 ms', {
        status: 0,
        reason: 'Timeout',
      }),
    )
  })
})

describe('a watch', () => {
  it('gives its lines until the signal ends it', async () => {
    const stop = new AbortController()
    const names: unknown[] = []
    await cluster.apply(namespaceOf('seen'))
    const lines = cluster.client.watch({
      path: '/api/v1/namespaces',
      query: { watch: 'true', fieldSelector: 'metadata.name=seen' },
      signal: stop.signal,
    })
    for await (const line of lines) {
      names.push(JSON.parse(line))
      stop.abort()
    }
    expect(names).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'seen' } } }])
  })
})
