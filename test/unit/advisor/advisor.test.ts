/** The advisor in simulated time, against an API server in memory and enforcers that say what a test wants. */
import { describe, expect, it } from 'vitest'
import { runAdvisor } from '../../../webhook/advisor/advisor.ts'
import type { NodeAnswer } from '../../../webhook/advisor/ask.ts'
import type { UsageRow } from '../../../webhook/advisor/page.ts'
import type { Count } from '../../../webhook/advisor/watched.ts'
import { parseAdapted } from '../../../webhook/policy/adapted.ts'
import type { NamespaceInfo, PolicySet } from '../../../webhook/policy/policy.ts'
import { createApi, refusal } from '../../support/advisor/api.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { createSimulation } from '../../support/simulation.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 2)
const ENFORCER = { app: 'enforcer' }

const adaptive = (more = ''): string =>
  `{name: batch, default: {writeIOPS: 1000}, max: {writeIOPS: 5000}, adaptive: {${more}windows: [{over: 5m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}], hold: 10m, release: {below: 0.5, for: 5m}}}`

function setUp(rule = adaptive()) {
  const simulation = createSimulation()
  const api = createApi()
  const stop = new AbortController()
  const namespaces = new Map<string, NamespaceInfo>()
  /** Writes a second by uid of the pod; what a node says. */
  const writes = new Map<string, number>()
  const answers = new Map<string, NodeAnswer>()
  let policies: PolicySet = policiesOf(policyText('gold', rule))
  const seen = {
    acts: [] as string[],
    writes: [] as string[],
    refused: [] as string[],
    errors: [] as string[],
    nodes: [] as string[],
    asked: [] as (string | undefined)[],
    counts: new Map<string, Count>() as ReadonlyMap<string, Count>,
    turns: 0,
  }
  const now = (): Date => new Date(START + simulation.now)
  const rowsOf = (): readonly UsageRow[] =>
    [...writes].map(([uid, writeIOPS]) => ({
      ...{ uid, container: null },
      usage: {
        rates: { readIOPS: 0, writeIOPS, readBPS: 0, writeBPS: 0 },
        ...{ seconds: 60, at: now().getTime() },
      },
    }))
  const run = (): Promise<void> =>
    runAdvisor({
      client: api.client,
      identity: 'webhook-a',
      ask: (address, { namespace }) => {
        seen.asked.push(namespace)
        return Promise.resolve(answers.get(address) ?? { outcome: 'answered', rows: rowsOf() })
      },
      readRulebook: () => ({ policies, exemptNamespaces: [] }),
      readNamespaces: () => namespaces,
      clock: () => simulation.now / 1000,
      now,
      random: () => 0.5,
      sleep: (milliseconds, signal) => simulation.sleep(milliseconds, signal),
      observe: {
        advised: ({ name }, { kind, mode }) => seen.acts.push(`${name} ${kind} ${mode}`),
        wrote: (outcome) => seen.writes.push(outcome),
        refused: ({ name }, reason) => seen.refused.push(`${name}: ${reason}`),
        failed: (error) => seen.errors.push(error instanceof Error ? error.message : ''),
        asked: (node, { outcome }) => seen.nodes.push(`${node} ${outcome}`),
        counted: (counts) => {
          seen.counts = counts
        },
        turned: () => seen.turns++,
      },
      stopped: stop.signal,
      settings: { namespace: 'iops-limit', selector: 'app=enforcer', interval: MINUTE },
    })
  const label = (name: string, policy = 'gold'): void =>
    void namespaces.set(name, { name, labels: { 'iops-limit/enforce': policy } })
  api.put({ namespace: 'iops-limit', name: 'e1', node: 'n1', labels: ENFORCER, podIP: '10.0.0.1' })
  label('team')
  api.put({ namespace: 'team', name: 'web', node: 'n1', annotations: { 'iops-limit/write-iops': '1000' } })
  return {
    ...{ simulation, api, stop, namespaces, writes, answers, seen, label, run },
    reload: (text: string) => {
      policies = policiesOf(text)
    },
    annotationsOf: (name: string) => api.find('team', name).metadata.annotations,
    limitOf: (name: string) => api.find('team', name).metadata.annotations['iops-limit/write-iops'],
    minutes: (count: number) => simulation.runTo(simulation.now + count * MINUTE),
  }
}

describe('a pod that hammers the disk', () => {
  it('is limited once the window is full, told why, and released once it is calm for long enough', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    const done = at.run()
    await at.minutes(3)
    expect(at.limitOf('web')).toBe('1000')
    await at.minutes(3)
    expect(at.limitOf('web')).toBe('500')
    expect(parseAdapted(at.annotationsOf('web')['iops-limit/adapted'] ?? '')).toMatchObject({
      imposed: { 'write-iops': '500' },
      replaced: { 'write-iops': '1000' },
      why: 'batch: write-iops 2000/s over 5m, above 800',
    })
    const [event] = at.api.events
    expect(event).toMatchObject({
      ...{ type: 'Warning', reason: 'IOLimitAdapted', reportingInstance: 'webhook-a' },
      message: 'imposed: write-iops=500 (batch: write-iops 2000/s over 5m, above 800)',
      involvedObject: { kind: 'Pod', namespace: 'team', name: 'web', uid: 'uid-web' },
    })
    at.writes.set('uid-web', 10)
    await at.minutes(7)
    expect(at.limitOf('web')).toBe('500')
    await at.minutes(4)
    expect(at.annotationsOf('web')).toEqual({ 'iops-limit/write-iops': '1000' })
    expect(at.api.events[1]).toMatchObject({ type: 'Normal', reason: 'IOLimitReleased' })
    expect(at.seen.acts).toEqual(['web impose enforce', 'web release enforce'])
    at.stop.abort()
    await done
    expect(at.seen.counts.size).toBe(0)
  })

  it('is written with the version that was read, in the name of the advisor', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    void at.run()
    const { resourceVersion } = at.api.find('team', 'web').metadata
    await at.minutes(6)
    at.stop.abort()
    expect(at.api.requests.find(({ method }) => method === 'PATCH')).toMatchObject({
      path: '/api/v1/namespaces/team/pods/web',
      query: { fieldManager: 'iops-limit-advisor' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid: 'uid-web', resourceVersion } },
    })
  })

  it('is only told by mode report, once an hour', async () => {
    const at = setUp(adaptive('mode: report, '))
    at.writes.set('uid-web', 2000)
    void at.run()
    await at.minutes(50)
    expect(at.limitOf('web')).toBe('1000')
    expect(at.seen.acts).toEqual(['web impose report'])
    expect(at.api.events).toMatchObject([
      { message: 'only reported, not imposed: write-iops=500 (batch: write-iops 2000/s over 5m, above 800)' },
    ])
    await at.minutes(20)
    at.stop.abort()
    expect(at.seen.acts).toHaveLength(2)
    expect(at.seen.writes).toEqual([])
  })

  it('that a person frees is left alone for good', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    void at.run()
    await at.minutes(6)
    at.api.annotate('team', 'web', { 'iops-limit/write-iops': '4000' })
    await at.minutes(60)
    at.stop.abort()
    expect(at.limitOf('web')).toBe('4000')
    expect(at.seen.acts).toEqual(['web impose enforce', 'web lifted enforce'])
    expect(parseAdapted(at.annotationsOf('web')['iops-limit/adapted'] ?? '')?.lifted).toBeDefined()
  })

  it('is released where the policy adapts nothing any more; then nobody asks for its namespace', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    void at.run()
    await at.minutes(6)
    at.reload(policyText('gold', '{name: batch, default: {writeIOPS: 1000}}'))
    await at.minutes(3)
    expect(at.annotationsOf('web')).toEqual({ 'iops-limit/write-iops': '1000' })
    const before = at.api.requests.length
    await at.minutes(10)
    at.stop.abort()
    expect(at.api.requests.length).toBe(before)
  })

  it('is released by the next leader too, where the policy was changed while nobody led', async () => {
    const at = setUp('{name: batch, default: {writeIOPS: 1000}}')
    at.api.put({
      ...{ namespace: 'team', name: 'web', node: 'n1' },
      annotations: {
        'iops-limit/write-iops': '500',
        'iops-limit/adapted':
          '{"since":"2026-01-01T00:00:00Z","imposed":{"write-iops":"500"},"replaced":{"write-iops":"1000"},"why":"x"}',
      },
    })
    void at.run()
    await at.minutes(1)
    at.stop.abort()
    expect(at.annotationsOf('web')).toEqual({ 'iops-limit/write-iops': '1000' })
  })
})

describe('who is believed', () => {
  it('a node about the pods that the API server says are on it, and no others', async () => {
    const at = setUp()
    at.api.put({ namespace: 'iops-limit', name: 'e2', node: 'n2', labels: ENFORCER, podIP: '10.0.0.2' })
    at.api.put({
      namespace: 'team',
      name: 'other',
      node: 'n2',
      annotations: { 'iops-limit/write-iops': '1000' },
    })
    // n1 is stolen, and tells of a pod of n2's; n2 tells that it is calm.
    at.writes.set('uid-other', 9000)
    at.answers.set('10.0.0.2', { outcome: 'answered', rows: [] })
    void at.run()
    await at.minutes(20)
    at.stop.abort()
    expect(at.limitOf('other')).toBe('1000')
    expect(at.seen.acts).toEqual([])
  })

  it.each([
    ['has another namespace', { namespace: 'team' }],
    ['lacks the labels', { labels: {} }],
    ['is ending', { deletionTimestamp: '2026-01-01T00:00:00Z' }],
    ['has no address', { podIP: '' }],
    ['has no IP address but a name', { podIP: 'metadata.internal' }],
  ])('nobody who %s', async (_, change) => {
    const at = setUp()
    at.api.remove('iops-limit', 'e1')
    const podIP = '10.0.0.1'
    at.api.put({ ...{ namespace: 'iops-limit', name: 'e', node: 'n1', labels: ENFORCER, podIP }, ...change })
    at.writes.set('uid-web', 9000)
    void at.run()
    await at.minutes(10)
    at.stop.abort()
    expect(new Set(at.seen.nodes)).toEqual(new Set(['n1 absent']))
    expect(at.seen.asked).toEqual([])
  })
})

describe('faults', () => {
  it('a node that does not answer stops no other', async () => {
    const at = setUp()
    at.api.put({ namespace: 'iops-limit', name: 'e2', node: 'n2', labels: ENFORCER, podIP: '10.0.0.2' })
    at.api.put({ namespace: 'team', name: 'other', node: 'n2' })
    at.answers.set('10.0.0.2', { outcome: 'late', reason: 'no whole answer within 8000 ms' })
    at.writes.set('uid-web', 2000).set('uid-other', 2000)
    void at.run()
    await at.minutes(8)
    at.stop.abort()
    expect(at.seen.acts).toEqual(['web impose enforce'])
    expect(at.seen.nodes).toContain('n2 late')
  })

  it('a namespace that cannot be listed stops no other, and its pods are not forgotten', async () => {
    const at = setUp()
    at.label('other')
    at.writes.set('uid-web', 2000)
    const isOther = (path: string): boolean => path.startsWith('/api/v1/namespaces/other/')
    at.api.trouble = ({ path }) => (isOther(path) ? refusal(500, 'InternalError') : undefined)
    void at.run()
    await at.minutes(4)
    expect(at.seen.errors).toHaveLength(5)
    at.api.trouble = ({ path }) => (isOther(path) ? undefined : refusal(500, 'InternalError'))
    await at.minutes(1)
    at.api.trouble = () => undefined
    await at.minutes(2)
    at.stop.abort()
    expect(at.seen.acts).toEqual(['web impose enforce'])
  })

  it('a pod that has changed meanwhile is looked at again by the next turn', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    let isFirst = true
    at.api.trouble = ({ method }) => {
      if (method !== 'PATCH' || !isFirst) return undefined
      isFirst = false
      return refusal(409, 'Conflict')
    }
    void at.run()
    await at.minutes(7)
    at.stop.abort()
    expect(at.seen.writes).toEqual(['conflict', 'written'])
    expect(at.seen.errors).toEqual([])
  })

  it('a write that admission refuses is told once, and tried again less and less often', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    at.api.trouble = ({ method }) => (method === 'PATCH' ? refusal(403, 'Forbidden') : undefined)
    void at.run()
    await at.minutes(35)
    expect(at.seen.refused).toEqual(['web: PATCH: Forbidden (HTTP 403)'])
    expect(at.seen.writes.length).toBeLessThan(7)
    expect(at.seen.writes.length).toBeGreaterThan(3)
    at.api.trouble = () => undefined
    await at.minutes(40)
    at.stop.abort()
    expect(at.limitOf('web')).toBe('500')
  })

  it('an API server that takes no writes ends the turn, and the next one tries again', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    at.api.trouble = ({ method }) => (method === 'PATCH' ? refusal(503, 'ServiceUnavailable') : undefined)
    void at.run()
    await at.minutes(8)
    at.api.trouble = () => undefined
    await at.minutes(2)
    at.stop.abort()
    expect(at.limitOf('web')).toBe('500')
    expect(new Set(at.seen.writes)).toEqual(new Set(['failed', 'written']))
    expect(at.seen.errors).toContain('PATCH: ServiceUnavailable (HTTP 503)')
  })

  it('more to write than half of a turn takes: the rest is for the next, and each is written once', async () => {
    const at = setUp()
    const names = Array.from({ length: 700 }, (_, index) => `p${index}`)
    for (const name of names) {
      at.api.put({ namespace: 'team', name, node: 'n1', annotations: {} })
      at.writes.set(`uid-${name}`, 2000)
    }
    void at.run()
    await at.minutes(4.9)
    const first = at.seen.acts.length
    expect(first).toBeGreaterThan(590)
    expect(first).toBeLessThan(640)
    await at.minutes(1)
    at.stop.abort()
    expect(new Set(at.seen.acts).size).toBe(700)
    expect(at.seen.writes).toEqual(names.map(() => 'written'))
  })

  it('enforcers that cannot be listed: what is known decides, and nothing breaks', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    at.api.trouble = ({ path }) =>
      path.startsWith('/api/v1/namespaces/iops-limit/') ? refusal(500, 'InternalError') : undefined
    void at.run()
    await at.minutes(3)
    at.stop.abort()
    expect(at.seen.errors).toContain('PATCH: InternalError (HTTP 500)')
    expect(at.seen.turns).toBeGreaterThan(2)
  })

  it('an Event that is refused changes nothing', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    at.api.trouble = ({ path }) => (path.endsWith('/events') ? refusal(403, 'Forbidden') : undefined)
    void at.run()
    await at.minutes(7)
    at.stop.abort()
    expect(at.seen.acts).toEqual(['web impose enforce'])
    expect(at.seen.errors).toHaveLength(1)
  })
})

describe('what is asked for', () => {
  it('nothing where no namespace enforces a policy', async () => {
    const at = setUp()
    at.namespaces.clear()
    void at.run()
    await at.minutes(5)
    at.stop.abort()
    expect(at.api.calls).toEqual([])
  })

  it('pods by page and namespace, enforcers by label, and of a node with pods of one namespace but these', async () => {
    const at = setUp()
    for (let index = 0; index < 300; index++)
      at.api.put({ namespace: 'team', name: `p${index}`, node: 'n1', annotations: {} })
    void at.run()
    await at.simulation.runTo(0)
    at.stop.abort()
    expect(at.api.requests.map(({ path, query }) => [path, query])).toEqual([
      [
        '/api/v1/namespaces/team/pods',
        { fieldSelector: 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed', limit: '250' },
      ],
      [
        '/api/v1/namespaces/team/pods',
        {
          fieldSelector: 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed',
          ...{ limit: '250', continue: '250' },
        },
      ],
      [
        '/api/v1/namespaces/iops-limit/pods',
        { labelSelector: 'app=enforcer', fieldSelector: 'status.phase=Running', limit: '250' },
      ],
    ])
    expect(at.seen.asked).toEqual(['team'])
    expect(at.seen.counts).toEqual(new Map([['gold', { watched: 301, adapted: 0 }]]))
  })

  it('counts what is imposed by policy', async () => {
    const at = setUp()
    at.writes.set('uid-web', 2000)
    void at.run()
    await at.minutes(8)
    expect(at.seen.counts).toEqual(new Map([['gold', { watched: 1, adapted: 1 }]]))
    at.stop.abort()
  })
})
