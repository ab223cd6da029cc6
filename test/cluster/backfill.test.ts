/** The back-fill against a real API server, whose admission goes through our own webhook: pods that it missed are made right. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/error.ts'
import { followCollection } from '../../kube/follow.ts'
import { runAsLeader } from '../../kube/lease.ts'
import { type BackfillSettings, type Pass, runBackfill } from '../../webhook/cluster/backfill.ts'
import type { Figures } from '../../webhook/cluster/backfillTally.ts'
import { createNamespaceCache, type NamespaceCache } from '../../webhook/cluster/namespaces.ts'
import type { PolicySet } from '../../webhook/policy/policy.ts'
import { createReviewer } from '../../webhook/server/reviewer.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { findFreePort } from '../support/cluster/daemon.ts'
import { namespaceOf, OPTED_IN, registrationOf } from '../support/cluster/objects.ts'
import { createTestCertificates, type TestCertificates } from '../support/https/certificates.ts'
import { type Serving, startServing } from '../support/https/serving.ts'
import { policiesOf, policyText } from '../support/policies.ts'

const goldText = (iops: number, max: number): string =>
  policyText('gold', `{name: all, default: {iops: ${iops}}, max: {iops: ${max}}}`)

let cluster: Cluster
let certificates: TestCertificates
let port: number
let namespaces: NamespaceCache
let policies: PolicySet = new Map()
const listeners = new Set<() => void>()
const ring = (): void => {
  for (const listener of listeners) listener()
}
const following = new AbortController()
let followed: Promise<void>
let serving: Serving | undefined

const readRulebook = () => ({ policies, exemptNamespaces: ['kube-system'] })

function enforce(text: string): void {
  policies = policiesOf(text)
  ring()
}

/** The webhook on its port. */
async function serve(): Promise<Serving> {
  serving = await startServing({
    certificates,
    port,
    reviewer: createReviewer({
      readRulebook,
      findNamespace: (name) => namespaces.current.get(name),
      onBroken: () => undefined,
    }),
  })
  return serving
}

async function stopServing(): Promise<void> {
  await serving?.[Symbol.asyncDispose]()
  serving = undefined
}

beforeAll(async () => {
  cluster = await startCluster()
  certificates = await createTestCertificates()
  port = await findFreePort()
  namespaces = createNamespaceCache(ring)
  followed = followCollection(
    cluster.client,
    { path: '/api/v1/namespaces' },
    {
      events: namespaces,
      stopped: following.signal,
      random: Math.random,
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
      observe: { synced: () => undefined, failed: () => undefined, restarted: () => undefined },
    },
  )
  await cluster.apply(
    namespaceOf('iops-limit'),
    registrationOf({
      ...{ origin: `https://127.0.0.1:${port}`, ca: certificates.ca },
      ...{ failurePolicy: 'Ignore', timeoutSeconds: 3, namespaces: OPTED_IN },
    }),
  )
}, 120_000)

afterAll(async () => {
  following.abort()
  await followed
  await stopServing()
  await cluster[Symbol.asyncDispose]()
}, 60_000)

beforeEach(() => {
  enforce(goldText(500, 1000))
})

const candidates = new Set<Candidate>()

afterEach(async () => {
  await Promise.all([...candidates].map((candidate) => candidate.stop()))
  candidates.clear()
  await stopServing()
  // What one test leaves behind is no other's to find.
  for (const name of namespaces.current.keys()) {
    const path = `/api/v1/namespaces/${name}/pods`
    await cluster.client.request({ method: 'DELETE', path, query: { gracePeriodSeconds: '0' } })
  }
})

type Values = Readonly<Record<string, string>>

interface Pod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly annotations?: Values
  }
}

async function createPods(
  namespace: string,
  count: number,
  annotationsOf: (index: number) => Values = () => ({}),
): Promise<void> {
  const indices = Array.from({ length: count }, (_, index) => index).values()
  const work = async (): Promise<void> => {
    for (const index of indices) {
      await cluster.client.request({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods`,
        body: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: `pod-${index}`,
            annotations: { 'test/index': String(index), ...annotationsOf(index) },
          },
          spec: { containers: [{ name: 'main', image: 'registry.test/app:1' }] },
        },
      })
    }
  }
  await Promise.all(Array.from({ length: 10 }, work))
}

async function readPods(namespace: string): Promise<readonly Pod[]> {
  const list = await cluster.client.request({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` })
  return (list as { readonly items: readonly Pod[] }).items
}

const ours = ({ metadata: { annotations = {} } }: Pod): Values =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => key.includes('iops-limit/')))

async function until(isSo: () => boolean | Promise<boolean>, patience = 30_000): Promise<number> {
  const began = performance.now()
  for (;;) {
    if (await isSo()) return performance.now() - began
    if (performance.now() - began > patience) throw new Error(`not so within ${patience} ms`)
    await sleep(100)
  }
}

const untilAll = (namespace: string, isRight: (pod: Pod) => boolean, patience?: number): Promise<number> =>
  until(async () => (await readPods(namespace)).every(isRight), patience)

interface Candidate {
  readonly log: string[]
  patched: number
  conflicts: number
  readonly passes: Pass[]
  readonly figures: Figures[]
  /** As SIGKILL: nothing is given back, nothing answers any more. */
  kill(): void
  stop(): Promise<void>
}

/** One replica's part: candidate for the Lease, and back-fill while it leads. */
function contend(identity: string, settings: Partial<BackfillSettings> = {}): Candidate {
  const stop = new AbortController()
  let isDead = false
  const candidate = {
    log: [] as string[],
    patched: 0,
    conflicts: 0,
    passes: [] as Pass[],
    figures: [] as Figures[],
  }
  const client: KubeClient = {
    request: (request) =>
      isDead
        ? Promise.reject(new KubeError('dead', { status: 0, reason: 'Unreachable' }))
        : cluster.client.request(request),
    watch: (request) => cluster.client.watch(request),
  }
  const deps = {
    identity,
    clock: () => performance.now() / 1000,
    now: () => new Date(),
    random: Math.random,
    sleep: (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
  }
  const done = runAsLeader(
    client,
    { namespace: 'iops-limit', name: 'webhook' },
    {
      ...deps,
      stopped: stop.signal,
      observe: {
        leading: () => candidate.log.push('leading'),
        ended: (why) => candidate.log.push(why),
        failed: () => undefined,
      },
      lead: (signal) =>
        runBackfill({
          ...deps,
          client,
          stopped: signal,
          readRulebook,
          readNamespaces: () => namespaces.current,
          onChange(listener) {
            listeners.add(listener)
            return () => listeners.delete(listener)
          },
          settings: { interval: 600_000, qps: 40, pageSize: 50, ...settings },
          observe: {
            patched: () => candidate.patched++,
            conflicted: () => candidate.conflicts++,
            told: () => undefined,
            failed: (error) => candidate.log.push(String(error)),
            counted: (figures) => candidate.figures.push(figures),
            passed: (pass) => candidate.passes.push(pass),
          },
        }),
    },
  )
  const contender = Object.assign(candidate, {
    kill() {
      isDead = true
    },
    async stop() {
      stop.abort()
      await done
    },
  })
  candidates.add(contender)
  return contender
}

const DEFAULTED = {
  'iops-limit/read-iops': '500',
  'iops-limit/write-iops': '500',
  'iops-limit/policy': 'gold/all',
  'iops-limit/defaulted': 'read-iops,write-iops',
}

describe('the webhook was down', () => {
  it('200 pods are right within 30 s of its return, whoever else writes to them, and no user value is lost', async () => {
    await cluster.apply(namespaceOf('down', 'gold'))
    await until(() => namespaces.current.has('down'))
    const asked = (index: number): Values =>
      [{}, { 'iops-limit/limit': '700' }, { 'iops-limit/read-iops': '9000' }, { 'nvme-iops-write': '300' }][
        index % 4
      ] ?? {}
    await createPods('down', 200, asked)
    expect((await readPods('down')).some((pod) => 'iops-limit/policy' in ours(pod))).toBe(false)
    const returned = performance.now()
    await serve()
    const candidate = contend('a')
    // A kubelet that starts them: each status is another version of the pod.
    const pods = (await readPods('down')).values()
    const start = async (): Promise<void> => {
      for (const { metadata } of pods) {
        await cluster.client.request({
          method: 'PATCH',
          path: `/api/v1/namespaces/down/pods/${metadata.name}/status`,
          contentType: 'application/merge-patch+json',
          body: { status: { phase: 'Running', startTime: '2026-01-01T00:00:00Z' } },
        })
      }
    }
    await Promise.all([start(), start()])
    await untilAll('down', (pod) => ours(pod)['iops-limit/policy'] === 'gold/all')
    const took = performance.now() - returned
    console.log(
      `200 pods right ${Math.round(took)} ms after the webhook's return; ${candidate.conflicts} conflicts`,
    )
    expect(took).toBeLessThan(30_000)
    for (const pod of await readPods('down')) {
      const index = Number(pod.metadata.annotations?.['test/index'])
      expect([index, ours(pod)]).toEqual([
        index,
        [
          DEFAULTED,
          { 'iops-limit/limit': '700', 'iops-limit/policy': 'gold/all' },
          {
            'iops-limit/read-iops': '9000',
            'iops-limit/write-iops': '500',
            'iops-limit/policy': 'gold/all',
            'iops-limit/defaulted': 'write-iops',
          },
          {
            'iops-limit/read-iops': '500',
            'iops-limit/write-iops': '300',
            'iops-limit/policy': 'gold/all',
            'iops-limit/defaulted': 'read-iops',
          },
        ][index % 4],
      ])
    }
    expect(candidate.patched).toBe(200)
    await until(() => candidate.passes.length > 0)
    expect(candidate.figures.at(-1)).toEqual({ unlimited: 0, outOfBounds: 50 })
    await candidate.stop()
    expect(candidate.log).toEqual(['leading', 'it was asked to stop'])
  }, 90_000)

  it('a leader that dies in the middle is followed by another, and every pod is right', async () => {
    await cluster.apply(namespaceOf('middle', 'gold'))
    await until(() => namespaces.current.has('middle'))
    await createPods('middle', 120)
    await serve()
    const first = contend('first', { qps: 10 })
    await until(() => first.patched >= 20)
    const second = contend('second')
    first.kill()
    await untilAll('middle', (pod) => 'iops-limit/policy' in ours(pod), 40_000)
    for (const pod of await readPods('middle')) expect(ours(pod)).toEqual(DEFAULTED)
    expect(first.patched + second.patched).toBe(120)
    expect(second.patched).toBeGreaterThan(50)
    expect(second.log).toEqual(['leading'])
  }, 90_000)

  it('an API server that restarts in the middle costs nothing but time', async () => {
    await cluster.apply(namespaceOf('restart', 'gold'))
    await until(() => namespaces.current.has('restart'))
    await createPods('restart', 60, (index) => (index % 2 === 0 ? {} : { 'iops-limit/limit': '700' }))
    await serve()
    const candidate = contend('a', { qps: 10 })
    await until(() => candidate.patched >= 15)
    await cluster.stopApiServer()
    await cluster.startApiServer()
    await untilAll('restart', (pod) => 'iops-limit/policy' in ours(pod), 40_000)
    for (const pod of await readPods('restart'))
      expect(ours(pod)).toEqual(
        Number(pod.metadata.annotations?.['test/index']) % 2 === 0
          ? DEFAULTED
          : { 'iops-limit/limit': '700', 'iops-limit/policy': 'gold/all' },
      )
    expect(candidate.patched).toBe(60)
  }, 120_000)
})

describe('policy and labels change', () => {
  it('refreshes defaults, keeps what a user set, and tells what is out of bounds as an Event', async () => {
    await serve()
    await cluster.apply(namespaceOf('change', 'gold'))
    await until(() => namespaces.current.has('change'))
    await createPods('change', 20, (index) => (index % 2 === 0 ? {} : { 'iops-limit/read-iops': '800' }))
    await untilAll('change', (pod) => 'iops-limit/policy' in ours(pod))
    const candidate = contend('a')
    await until(() => candidate.passes.length > 0)
    expect(candidate.patched).toBe(0)
    enforce(goldText(250, 600))
    await untilAll('change', (pod) => ours(pod)['iops-limit/write-iops'] === '250')
    for (const pod of await readPods('change')) {
      const isUsers = Number(pod.metadata.annotations?.['test/index']) % 2 === 1
      expect(ours(pod)).toEqual({
        ...DEFAULTED,
        'iops-limit/read-iops': isUsers ? '800' : '250',
        'iops-limit/write-iops': '250',
        'iops-limit/defaulted': isUsers ? 'write-iops' : 'read-iops,write-iops',
      })
    }
    const readEvents = async () =>
      (await cluster.client.request({
        method: 'GET',
        path: '/api/v1/namespaces/change/events',
        query: { fieldSelector: 'reason=IOLimitOutOfBounds' },
      })) as { readonly items: readonly { readonly message: string; readonly type: string }[] }
    await until(async () => (await readEvents()).items.length === 10)
    expect((await readEvents()).items[0]).toMatchObject({
      type: 'Warning',
      message:
        'policy gold, rule all: iops-limit/read-iops "800" is above the max of 600 for readIOPS; write 600 or less',
      involvedObject: { kind: 'Pod', namespace: 'change' },
      reportingInstance: 'a',
    })
    const described = await cluster.kubectl(['describe', 'pod', '-n', 'change', 'pod-1'])
    expect(described.stdout).toMatch(/Warning\s+IOLimitOutOfBounds.*is above the max of 600/)
    expect(candidate.figures.at(-1)).toMatchObject({ outOfBounds: 10 })
    await candidate.stop()
    // The next leader tells nobody again while the Events live.
    const next = contend('b')
    await until(() => next.passes.length > 0)
    await next.stop()
    expect((await readEvents()).items).toHaveLength(10)
  }, 90_000)

  it('a namespace labelled later gets limits, and loses them with its label, but for what a user set', async () => {
    await serve()
    await cluster.apply(namespaceOf('later'))
    await createPods('later', 10, (index) => (index === 3 ? { 'iops-limit/read-iops': '800' } : {}))
    const candidate = contend('a')
    await until(() => candidate.passes.length > 0)
    expect(
      (await readPods('later')).map(ours).filter((annotations) => 'iops-limit/policy' in annotations),
    ).toEqual([])
    await cluster.kubectl(['label', 'namespace', 'later', 'iops-limit/enforce=gold'])
    const limited = await untilAll('later', (pod) => 'iops-limit/policy' in ours(pod))
    await cluster.kubectl(['label', 'namespace', 'later', 'iops-limit/enforce-'])
    const lifted = await untilAll('later', (pod) => !('iops-limit/policy' in ours(pod)))
    console.log(
      `limited ${Math.round(limited)} ms behind the label, lifted ${Math.round(lifted)} ms behind its removal`,
    )
    for (const pod of await readPods('later')) {
      expect(ours(pod)).toEqual(pod.metadata.name === 'pod-3' ? { 'iops-limit/read-iops': '800' } : {})
    }
  }, 90_000)

  it('never touches pods that have ended or are being deleted', async () => {
    await cluster.apply(namespaceOf('ended', 'gold'))
    await createPods('ended', 3)
    for (const [name, phase] of [
      ['pod-0', 'Succeeded'],
      ['pod-1', 'Failed'],
    ])
      await cluster.client.request({
        method: 'PATCH',
        path: `/api/v1/namespaces/ended/pods/${name}/status`,
        contentType: 'application/merge-patch+json',
        body: { status: { phase } },
      })
    await cluster.client.request({
      method: 'PATCH',
      path: '/api/v1/namespaces/ended/pods/pod-2',
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: ['test/keep'] } },
    })
    await cluster.client.request({ method: 'DELETE', path: '/api/v1/namespaces/ended/pods/pod-2' })
    const before = await readPods('ended')
    const candidate = contend('a')
    await until(() => candidate.passes.some(({ isFull }) => isFull))
    await candidate.stop()
    expect(await readPods('ended')).toEqual(before)
    expect(candidate.patched).toBe(0)
  }, 60_000)
})

it('lists in pages, and finds what stands on every one of them', async () => {
  await cluster.apply(namespaceOf('pages', 'gold'))
  await until(() => namespaces.current.has('pages'))
  await createPods('pages', 30)
  const candidate = contend('a', { pageSize: 7 })
  await untilAll('pages', (pod) => 'iops-limit/policy' in ours(pod))
  await candidate.stop()
  expect(candidate.log).toEqual(['leading', 'it was asked to stop'])
}, 60_000)
