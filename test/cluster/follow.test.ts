/** Following a collection of a real API server through what befalls watches. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKubeClient, type KubeClient } from '../../kube/client.ts'
import { followCollection } from '../../kube/follow.ts'
import { openKubeconfig } from '../../kube/kubeconfig.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { type Proxy, startProxy } from '../support/cluster/proxy.ts'
import { until } from '../support/until.ts'

const PATH = '/api/v1/namespaces/default/configmaps'

interface Follower extends AsyncDisposable {
  /** Names and what they hold, as the events told it. */
  readonly state: ReadonlyMap<string, string>
  readonly reasons: readonly string[]
  readonly lists: number
  untilSynced(): Promise<void>
}

/** As a program would, through its own client. */
function follow(client: KubeClient, { path = PATH, patience = 90_000 } = {}): Follower {
  const stop = new AbortController()
  const state = new Map<string, string>()
  const reasons: string[] = []
  let lists = 0
  const put = (item: unknown): void => {
    const { metadata, data } = item as { metadata: { name: string }; data?: { text?: string } }
    state.set(metadata.name, data?.text ?? '')
  }
  const ended = followCollection(
    client,
    { path },
    {
      stopped: stop.signal,
      random: Math.random,
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
      patience,
      events: {
        listed(items) {
          state.clear()
          items.forEach(put)
        },
        changed(type, item) {
          if (type === 'DELETED') state.delete((item as { metadata: { name: string } }).metadata.name)
          else put(item)
        },
      },
      observe: {
        synced: () => void (lists += 1),
        failed: () => undefined,
        restarted: (reason) => reasons.push(reason),
      },
    },
  )
  return {
    state,
    reasons,
    get lists() {
      return lists
    },
    untilSynced: () => until(() => lists > 0),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

const clientOf = (cluster: Cluster, origin = new URL(cluster.origin)): KubeClient =>
  createKubeClient(
    { ...openKubeconfig(cluster.kubeconfig), origin },
    { clock: () => performance.now() / 1000 },
  )

const create = (cluster: Cluster, name: string, text = ''): Promise<unknown> =>
  cluster.client.request({
    method: 'POST',
    path: PATH,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text } },
  })

const remove = (cluster: Cluster, name: string): Promise<unknown> =>
  cluster.client.request({ method: 'DELETE', path: `${PATH}/${name}` })

describe('an API server as it is', () => {
  let cluster: Cluster
  let proxy: Proxy

  beforeAll(async () => {
    cluster = await startCluster()
    proxy = await startProxy(cluster.origin)
  })

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await cluster[Symbol.asyncDispose]()
  })

  it('gives more objects than a page holds, and their changes within moments', async () => {
    await Promise.all(Array.from({ length: 1100 }, (_, n) => create(cluster, `many-${n}`)))
    await using follower = follow(clientOf(cluster))
    await follower.untilSynced()
    expect(follower.state.size).toBeGreaterThanOrEqual(1100)
    const began = performance.now()
    await create(cluster, 'late', 'news')
    await until(() => follower.state.get('late') === 'news')
    expect(performance.now() - began).toBeLessThan(1000)
    await remove(cluster, 'late')
    await until(() => !follower.state.has('late'))
    await cluster.client.request({ method: 'DELETE', path: PATH })
    await until(() => follower.state.size === 0)
    expect({ lists: follower.lists, reasons: follower.reasons }).toEqual({ lists: 1, reasons: [] })
  })

  it('may be restarted in the middle', async () => {
    await using follower = follow(clientOf(cluster))
    await follower.untilSynced()
    await create(cluster, 'before')
    await until(() => follower.state.has('before'))
    await cluster.stopApiServer()
    await cluster.startApiServer()
    await create(cluster, 'after')
    await until(() => follower.state.has('after'))
    expect(follower.state.has('before')).toBe(true)
    expect(follower.reasons.length).toBeGreaterThan(0)
    await Promise.all(['before', 'after'].map((name) => remove(cluster, name)))
    await until(() => follower.state.size === 0)
  })

  it('may be out of reach: what happened meanwhile is told, once it is back', async () => {
    await using follower = follow(clientOf(cluster, proxy.origin))
    await follower.untilSynced()
    await create(cluster, 'gone')
    await until(() => follower.state.has('gone'))
    proxy.cut()
    await remove(cluster, 'gone')
    await create(cluster, 'unseen')
    await until(() => follower.reasons.length > 2)
    proxy.open()
    await until(() => follower.state.has('unseen') && !follower.state.has('gone'))
    expect(new Set(follower.reasons)).toEqual(new Set(['broken']))
    // It went on from where it was.
    expect(follower.lists).toBe(1)
    await remove(cluster, 'unseen')
  })

  it('may be behind a proxy that falls silent', async () => {
    await using follower = follow(clientOf(cluster, proxy.origin), { patience: 1500 })
    await follower.untilSynced()
    await create(cluster, 'heard')
    await until(() => follower.state.has('heard'))
    proxy.hang()
    await create(cluster, 'unheard')
    const began = performance.now()
    await until(() => follower.state.has('unheard'))
    expect(performance.now() - began).toBeLessThan(3000)
    expect(follower.reasons[0]).toBe('silent')
    expect(follower.lists).toBe(1)
    await Promise.all(['heard', 'unheard'].map((name) => remove(cluster, name)))
  })
})

describe('an API server that has forgotten', () => {
  let cluster: Cluster
  let proxy: Proxy

  beforeAll(async () => {
    // Without a watch cache watches reach etcd, and end where it was compacted.
    cluster = await startCluster({ flags: ['--watch-cache=false', '--etcd-compaction-interval=0'] })
    proxy = await startProxy(cluster.origin)
  })

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await cluster[Symbol.asyncDispose]()
  })

  it('is asked for everything anew', async () => {
    await using follower = follow(clientOf(cluster, proxy.origin))
    await follower.untilSynced()
    await create(cluster, 'gone')
    await create(cluster, 'kept', 'old')
    await until(() => follower.state.has('kept'))
    proxy.cut()
    await remove(cluster, 'gone')
    await cluster.client.request({
      method: 'PATCH',
      path: `${PATH}/kept`,
      contentType: 'application/merge-patch+json',
      body: { data: { text: 'new' } },
    })
    const made = (await create(cluster, 'made')) as { metadata: { resourceVersion: string } }
    await compact(cluster, made.metadata.resourceVersion)
    proxy.open()
    await until(() => follower.state.has('made'))
    expect([...follower.state].sort()).toEqual([
      ['kept', 'new'],
      ['made', ''],
    ])
    expect(follower.lists).toBe(2)
    expect(follower.reasons.at(-1)).toBe('expired')
    await create(cluster, 'next')
    await until(() => follower.state.has('next'))
  })
})

async function compact({ etcd }: Cluster, revision: string): Promise<void> {
  const { ok, status } = await fetch(`${etcd}/v3/kv/compaction`, {
    method: 'POST',
    body: JSON.stringify({ revision, physical: true }),
  })
  if (!ok) throw new Error(`etcd: HTTP ${status}`)
}
