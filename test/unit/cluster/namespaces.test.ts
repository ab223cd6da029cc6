import { describe, expect, it } from 'vitest'
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { createLookup, type LookupResult } from '../../../webhook/cluster/lookup.ts'
import { createNamespaceCache, readNamespace, slimNamespace } from '../../../webhook/cluster/namespaces.ts'
import { Unavailable } from '../../../webhook/cluster/unavailable.ts'

const namespaceOf = (name: string, labels?: Readonly<Record<string, unknown>>): object => ({
  kind: 'Namespace',
  metadata: { name, uid: 'u', resourceVersion: '1', ...(labels && { labels }) },
})

describe('the cache', () => {
  it('follows lists and changes, in one and the same map', () => {
    let changes = 0
    const cache = createNamespaceCache(() => void (changes += 1))
    const { current } = cache
    cache.listed([namespaceOf('a'), namespaceOf('b')])
    cache.changed('ADDED', namespaceOf('c', { 'iops-limit/enforce': 'gold' }))
    cache.changed('MODIFIED', namespaceOf('b', { 'iops-limit/warn': 'gold' }))
    cache.changed('DELETED', namespaceOf('a'))
    expect([...current.values()]).toEqual([
      { name: 'b', labels: { 'iops-limit/warn': 'gold' } },
      { name: 'c', labels: { 'iops-limit/enforce': 'gold' } },
    ])
    cache.listed([namespaceOf('d')])
    expect([...current.keys()]).toEqual(['d'])
    expect(changes).toBe(5)
  })

  it('calls nobody for what no decision goes by: a status, a label of others, what it knows already', () => {
    let changes = 0
    const cache = createNamespaceCache(() => void (changes += 1))
    cache.listed([namespaceOf('a', { 'iops-limit/enforce': 'gold' })])
    cache.changed('MODIFIED', {
      ...namespaceOf('a', { 'iops-limit/enforce': 'gold', team: 'x' }),
      status: { phase: 'Active', conditions: [{ type: 'NamespaceContentRemaining' }] },
    })
    cache.changed('DELETED', namespaceOf('never-seen'))
    expect(changes).toBe(1)
    cache.changed('MODIFIED', namespaceOf('a', { 'iops-limit/enforce': 'silver' }))
    cache.changed('MODIFIED', namespaceOf('a', { 'iops-limit/enforce': 'silver', 'iops-limit/warn': 'gold' }))
    cache.changed('MODIFIED', namespaceOf('a', { 'iops-limit/enforce': 'silver' }))
    cache.changed('MODIFIED', namespaceOf('a'))
    expect(changes).toBe(5)
  })

  it('keeps no label but ours, and nothing that is no object', () => {
    const cache = createNamespaceCache(() => undefined)
    const strange = {
      'kubernetes.io/metadata.name': 'a',
      __proto__: 'x',
      'iops-limit/audit': 'gold',
      'iops-limit/warn': 7,
    }
    cache.listed([namespaceOf('a', strange), 'nothing', null, { metadata: {} }])
    expect([...cache.current.values()]).toEqual([{ name: 'a', labels: { 'iops-limit/audit': 'gold' } }])
  })
})

/** A client of namespaces that exist, one that does not, and one that cannot be read. */
function open() {
  const asked: KubeRequest[] = []
  const results: LookupResult[] = []
  let now = 0
  const cache = createNamespaceCache(() => undefined)
  const client: KubeClient = {
    request(request) {
      asked.push(request)
      const name = request.path.split('/').at(-1) ?? ''
      if (name.startsWith('absent'))
        return Promise.reject(new KubeError('not found', { status: 404, reason: 'NotFound' }))
      if (name === 'broken')
        return Promise.reject(new KubeError('no answer', { status: 0, reason: 'Timeout' }))
      return Promise.resolve(namespaceOf(name, { 'iops-limit/enforce': 'gold' }))
    },
    watch: () => {
      throw new Error('nobody watches here')
    },
  }
  const find = createLookup({
    client,
    known: cache.current,
    clock: () => now,
    observe: (result) => results.push(result),
  })
  return { find, cache, asked, results, wait: (seconds: number) => void (now += seconds) }
}

it('a namespace read from what is kept of it is the same', () => {
  const whole = namespaceOf('a', { 'iops-limit/enforce': 'gold', team: 'x' })
  expect(slimNamespace(whole)).toEqual({ metadata: { name: 'a', labels: { 'iops-limit/enforce': 'gold' } } })
  expect(readNamespace(slimNamespace(whole))).toEqual(readNamespace(whole))
})

describe('a lookup', () => {
  it('asks nobody for what the cache knows, and gives it at once', () => {
    const { find, cache, asked, results } = open()
    cache.changed('ADDED', namespaceOf('team'))
    expect(find('team')).toEqual({ name: 'team', labels: {} })
    expect(find('')).toBeUndefined()
    expect({ asked, results }).toEqual({ asked: [], results: ['hit'] })
  })

  it('takes microseconds among fifty thousand', () => {
    const { find, cache } = open()
    cache.listed(
      Array.from({ length: 50_000 }, (_, n) => namespaceOf(`team-${n}`, { 'iops-limit/enforce': 'gold' })),
    )
    const began = performance.now()
    for (let n = 0; n < 100_000; n++) void find(`team-${n % 50_000}`)
    // Milliseconds for a hundred thousand: below 10 µs each by a wide margin.
    expect(performance.now() - began).toBeLessThan(1000)
  })

  it('asks once for all that wait, within its time, and again a second later', async () => {
    const { find, asked, results, wait } = open()
    const found = await Promise.all([find('a/b'), find('a/b'), find('a/b')])
    expect(found[2]).toEqual({ name: 'a%2Fb', labels: { 'iops-limit/enforce': 'gold' } })
    expect(asked).toEqual([{ method: 'GET', path: '/api/v1/namespaces/a%2Fb', timeout: 750 }])
    wait(0.9)
    await find('a/b')
    expect(asked.length).toBe(1)
    wait(0.2)
    await find('a/b')
    expect(asked.length).toBe(2)
    expect(new Set(results)).toEqual(new Set(['fetched']))
  })

  it('knows for a second that there is none, and goes by the cache once that does', async () => {
    const { find, cache, asked, results } = open()
    expect(await find('absent')).toBeUndefined()
    expect(await find('absent')).toBeUndefined()
    cache.changed('ADDED', namespaceOf('absent'))
    expect(find('absent')).toEqual({ name: 'absent', labels: {} })
    expect(asked.length).toBe(1)
    expect(results).toEqual(['absent', 'absent', 'hit'])
  })

  it('remembers a thousand at most', async () => {
    const { find, asked } = open()
    for (let n = 0; n <= 1000; n++) await find(`absent-${n}`)
    await find('absent-1000')
    await find('absent-1')
    expect(asked.length).toBe(1001)
    await find('absent-0')
    expect(asked.length).toBe(1002)
  })

  it('says where the API server does not say, and asks it again', async () => {
    const { find, asked, results } = open()
    for (let n = 0; n < 2; n++) {
      const failure = await Promise.resolve(find('broken')).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(Unavailable)
      expect(failure).toMatchObject({ message: 'namespace broken could not be read (no answer)' })
    }
    expect(asked.length).toBe(2)
    expect(results).toEqual(['failed', 'failed'])
  })
})
