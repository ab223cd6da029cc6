/** Following a collection, against a client that plays a script. */
import { describe, expect, it } from 'vitest'
import type { KubeClient, KubeRequest, WatchRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { followCollection } from '../../../kube/follow.ts'

const item = (name: string, version: string): object => ({ metadata: { name, resourceVersion: version } })
const list = (version: string, items: readonly object[], next = ''): object => ({
  kind: 'NamespaceList',
  metadata: { resourceVersion: version, ...(next !== '' && { continue: next }) },
  items,
})
const line = (type: string, object: object): string => JSON.stringify({ type, object })
const bookmark = (version: string): string => line('BOOKMARK', { metadata: { resourceVersion: version } })

/** A page or an exception; the lines of a watch, an exception that ends them, or `hang`: silence until somebody gives up; `open`: it begins. */
interface Script {
  readonly lists: readonly unknown[]
  readonly watches: readonly (readonly (string | Error)[])[]
}

const TICK = 7
const PATIENCE = 24 * TICK

interface Played {
  readonly told: readonly unknown[]
  readonly calls: readonly (Readonly<Record<string, string>> | undefined)[]
  readonly pauses: readonly number[]
}

/** Runs until the script is at its end. `ticks`: whether the time of the watchdog passes. */
async function play(
  script: Script,
  { ticks = false, random = 0, broken = '', slim = false, isCached = false } = {},
): Promise<Played> {
  const stop = new AbortController()
  const told: unknown[] = []
  const calls: KubeRequest['query'][] = []
  const pauses: number[] = []
  const [lists, watches] = [[...script.lists], [...script.watches]]
  const client: KubeClient = {
    request({ query }) {
      calls.push(query)
      const answer = lists.shift()
      if (answer === undefined) stop.abort()
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    async *watch({ query, signal, onOpen }: WatchRequest) {
      calls.push(query)
      const lines = watches.shift()
      if (lines === undefined) stop.abort()
      for (const next of lines ?? []) {
        if (next instanceof Error) throw next
        if (next === 'open') onOpen?.()
        else if (next !== 'hang') yield next
        else await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }
    },
  }
  await followCollection(
    client,
    {
      ...{ path: '/api/v1/namespaces', query: { labelSelector: 'a=b' }, isCached },
      ...(slim && { slim: () => 'slim' }),
    },
    {
      stopped: stop.signal,
      random: () => random,
      patience: PATIENCE,
      sleep: (milliseconds, signal) => {
        if (milliseconds !== TICK) {
          pauses.push(milliseconds)
          return Promise.resolve()
        }
        return ticks
          ? new Promise((resolve) => setImmediate(resolve))
          : new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
      },
      events: {
        listed: (items) => told.push({ listed: items }),
        changed: (type, object) => {
          if (type === broken) throw new Error('a mistake of the receiver')
          told.push({ [type]: object })
        },
      },
      observe: {
        listing: () => told.push('listing'),
        synced: () => told.push('synced'),
        heard: () => told.push('heard'),
        failed: ({ message }) => told.push({ failed: message }),
        restarted: (reason) => told.push({ restarted: reason }),
      },
    },
  )
  return { told, calls, pauses }
}

describe('listing', () => {
  it('from the cache: in one piece, and never older than what was heard, unless the server knows of nothing so new', async () => {
    const tooNew = new KubeError('Too large resource version', { status: 504, reason: 'Timeout' })
    const { calls } = await play(
      {
        lists: [list('10', []), list('12', []), tooNew, list('3', [])],
        watches: [
          [bookmark('11'), line('ERROR', { kind: 'Status', code: 410 })],
          [line('ERROR', { kind: 'Status', code: 410 })],
          [],
        ],
      },
      { isCached: true },
    )
    const lists = calls.filter((query) => query?.['watch'] === undefined)
    expect(lists.slice(0, 4)).toEqual(
      ['0', '11', '12', '0'].map((resourceVersion) => ({ labelSelector: 'a=b', resourceVersion })),
    )
  })

  it('reads every page of one moment, then watches from there', async () => {
    const [a, b] = [item('a', '1'), item('b', '2')]
    const { told, calls } = await play({ lists: [list('10', [a], 'more'), list('10', [b])], watches: [[]] })
    expect(told.slice(0, 3)).toEqual(['listing', { listed: [a, b] }, 'synced'])
    expect(calls.slice(0, 3)).toEqual([
      { labelSelector: 'a=b', limit: '500' },
      { labelSelector: 'a=b', limit: '500', continue: 'more' },
      {
        labelSelector: 'a=b',
        watch: 'true',
        resourceVersion: '10',
        allowWatchBookmarks: 'true',
        timeoutSeconds: '300',
      },
    ])
  })

  it('takes the whole in one piece where its moment expires between two pages', async () => {
    const [a, b] = [item('a', '1'), item('b', '2')]
    const expired = new KubeError('too old', { status: 410, reason: 'Expired' })
    const { told, calls } = await play({
      lists: [list('10', [a], 'more'), expired, list('12', [a, b])],
      watches: [],
    })
    expect(told).toEqual(['listing', { listed: [a, b] }, 'synced'])
    expect(calls[2]).toEqual({ labelSelector: 'a=b' })
    expect(calls[3]).toMatchObject({ resourceVersion: '12' })
  })

  it('tells of each item what is wanted of it', async () => {
    const page = list('10', [item('a', '1'), item('b', '2')])
    const { told } = await play({ lists: [page], watches: [] }, { slim: true })
    expect(told[1]).toEqual({ listed: ['slim', 'slim'] })
  })

  it('is tried again, with pauses that double up to a quarter of a minute', async () => {
    const away = new KubeError('nobody there', { status: 0, reason: 'Unreachable' })
    const { told, pauses } = await play({
      lists: [...Array.from({ length: 9 }, () => away), list('1', [])],
      watches: [],
    })
    expect(told.slice(0, 2)).toEqual(['listing', { failed: 'nobody there' }])
    expect(told.slice(-2)).toEqual([{ listed: [] }, 'synced'])
    expect(pauses.slice(0, 9)).toEqual([200, 400, 800, 1600, 3200, 6400, 7500, 7500, 7500])
  })

  it('waits by chance, and as long as the server asks, up to a minute', async () => {
    const busy = (retryAfter: number): KubeError =>
      new KubeError('busy', { status: 429, reason: 'TooManyRequests', retryAfter })
    const { pauses } = await play(
      { lists: [busy(1), busy(5000), busy(3_600_000)], watches: [] },
      { random: 0.5 },
    )
    expect(pauses.slice(0, 3)).toEqual([300, 5000, 60_000])
  })

  it.each([
    [{ metadata: { resourceVersion: '1' } }, 'body.items: is missing, not a list; write a list'],
    [
      { items: [], metadata: {} },
      'body.metadata.resourceVersion: is missing, not a text; write a text, in quotes where it looks like a number',
    ],
    ['text', 'body: "text" is a text, not a map; write a map of keys and values'],
  ])('says what is no list: %j', async (answer, words) => {
    const { told } = await play({ lists: [answer], watches: [] })
    expect(told[1]).toEqual({ failed: `GET /api/v1/namespaces: the answer is no list: ${words}` })
  })
})

describe('watching', () => {
  it('tells changes, and resumes behind the last bookmark when the server ends it', async () => {
    const a = item('a', '11')
    const { told, calls, pauses } = await play({
      lists: [list('10', [])],
      watches: [[line('ADDED', a), line('MODIFIED', a), line('DELETED', a), bookmark('17')]],
    })
    expect(told.slice(3)).toEqual([
      { ADDED: a },
      'heard',
      { MODIFIED: a },
      'heard',
      { DELETED: a },
      'heard',
      'heard',
      { restarted: 'ended' },
    ])
    expect(calls[2]).toMatchObject({ watch: 'true', resourceVersion: '17' })
    expect(pauses[0]).toBe(200)
  })

  it('asks for five to ten minutes', async () => {
    const { calls } = await play({ lists: [list('10', [])], watches: [] }, { random: 0.999 })
    expect(calls[1]).toMatchObject({ timeoutSeconds: '599' })
  })

  it.each([
    ['a broken connection', new KubeError('reset', { status: 0, reason: 'Unreachable' }), 'broken'],
    ['a server that is starting', new KubeError('no', { status: 503, reason: 'Unavailable' }), 'error'],
    ['a crowd', new KubeError('no', { status: 429, reason: 'TooManyRequests' }), 'error'],
    ['a token that ran out', new KubeError('no', { status: 401, reason: 'Unauthorized' }), 'error'],
  ] as const)('resumes after %s', async (_, failure, reason) => {
    const { told, calls } = await play({ lists: [list('10', [])], watches: [[bookmark('12'), failure]] })
    expect(told.slice(3)).toEqual(['heard', { restarted: reason }, { failed: failure.message }])
    expect(calls[2]).toMatchObject({ watch: 'true', resourceVersion: '12' })
  })

  it.each([
    ['410 as an answer', [new KubeError('too old', { status: 410, reason: 'Expired' })]],
    ['410 in band', [line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })]],
  ])('lists again after %s, which is no failure', async (_, lines) => {
    const { told, calls, pauses } = await play({ lists: [list('10', []), list('20', [])], watches: [lines] })
    expect(told.slice(3)).toEqual([{ restarted: 'expired' }, 'listing', { listed: [] }, 'synced'])
    expect(calls[3]).toMatchObject({ watch: 'true', resourceVersion: '20' })
    expect(pauses[0]).toBe(200)
  })

  it.each([
    [
      '504 in band',
      [line('ERROR', { kind: 'Status', code: 504, reason: 'Timeout', message: 'etcd' })],
      'watch of /api/v1/namespaces: etcd (ERROR line)',
    ],
    ['an ERROR without a word', [line('ERROR', {})], 'watch of /api/v1/namespaces: no word (ERROR line)'],
    ['no JSON', ['{"type":'], 'watch of /api/v1/namespaces: a line is no event: it is not JSON'],
    [
      'an unknown type',
      [line('RENAMED', item('a', '1'))],
      'watch of /api/v1/namespaces: a line is no event: type is none of those known',
    ],
    [
      'an object without version',
      [line('ADDED', { metadata: {} })],
      'watch of /api/v1/namespaces: a line is no event: event.object.metadata.resourceVersion: is missing, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'a resource that is gone',
      [new KubeError('not found', { status: 404, reason: 'NotFound' })],
      'not found',
    ],
  ])('lists again after %s', async (_, lines, message) => {
    const { told, calls } = await play({ lists: [list('10', []), list('20', [])], watches: [lines] })
    expect(told.slice(3)).toEqual([
      { restarted: 'error' },
      { failed: message },
      'listing',
      { listed: [] },
      'synced',
    ])
    expect(calls[3]).toMatchObject({ watch: 'true', resourceVersion: '20' })
  })

  it('lists again where its receiver broke', async () => {
    const { told } = await play(
      { lists: [list('10', []), list('20', [])], watches: [[line('ADDED', item('a', '11'))]] },
      { broken: 'ADDED' },
    )
    expect(told.slice(3, 6)).toEqual([
      { restarted: 'error' },
      { failed: 'a mistake of the receiver' },
      'listing',
    ])
  })

  it('is no busy loop where each watch ends at once', async () => {
    const { pauses } = await play({ lists: [list('10', [])], watches: [[], [bookmark('11')], [], []] })
    expect(pauses).toEqual([200, 400, 800, 1600])
  })
})

it('has heard of the server once a watch is opened', async () => {
  const { told } = await play({ lists: [list('10', [])], watches: [['open'], [bookmark('11')]] })
  expect(told.slice(3)).toEqual(['heard', { restarted: 'ended' }, 'heard', { restarted: 'ended' }])
})

describe('the watchdog', () => {
  it('opens a watch anew on which nothing is heard, where it was', async () => {
    const { told, calls, pauses } = await play(
      { lists: [list('10', [])], watches: [[bookmark('12'), 'hang'], ['hang']] },
      { ticks: true },
    )
    expect(told.slice(3)).toEqual(['heard', { restarted: 'silent' }, { restarted: 'silent' }])
    expect(calls.slice(2)).toEqual([
      expect.objectContaining({ resourceVersion: '12' }),
      expect.objectContaining({ resourceVersion: '12' }),
    ])
    expect(pauses.slice(0, 2)).toEqual([100, 100])
  })
})

it.each(['list', 'watch'])(
  'ends at once when it is stopped by the %s, and tells no failure',
  async (when) => {
    const stop = new AbortController()
    const told: unknown[] = []
    await followCollection(
      {
        request: () => Promise.resolve(list('1', [])),
        async *watch({ signal }) {
          if (when === 'watch') stop.abort()
          yield* await Promise.resolve(signal.aborted ? [] : [bookmark('2')])
          throw new KubeError('aborted', { status: 0, reason: 'Unreachable' })
        },
      },
      { path: '/x' },
      {
        stopped: stop.signal,
        random: () => 0,
        sleep: () => Promise.resolve(),
        events: { listed: () => when === 'list' && stop.abort(), changed: () => undefined },
        observe: {
          synced: () => undefined,
          failed: (error) => told.push(error),
          restarted: (reason) => told.push(reason),
        },
      },
    )
    expect(told).toEqual([])
  },
)
