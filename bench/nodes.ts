/**
 * How often the enforcers of a fleet call, a minute: real sources and real checks of tokens, one of each a node, against a real
 * API server; the advisor of that fleet, whose enforcers' pages one server stands in for; and one whole enforcer beside a kubelet
 * that stands in.
 *   node bench/nodes.ts [MINUTES] [NODES...]      15 minutes, of which the first third is not counted; 10, 1,000 and 5,000 nodes
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../contract/problem.ts'
import { createApiServerSource } from '../enforcer/sources/apiserver.ts'
import { createAccess } from '../enforcer/usage/access.ts'
import { findDeed } from '../kube/call.ts'
import { type Call, type Connection, createKubeClient, type KubeRequest } from '../kube/client.ts'
import { isKubeError } from '../kube/error.ts'
import { openKubeconfig } from '../kube/kubeconfig.ts'
import { type Cluster, startCluster } from '../test/support/cluster/cluster.ts'
import { createRecordedNode, markedPods, readRecorded } from '../test/support/kernel/recordedNode.ts'
import { startEnforcer } from '../test/support/kernel/runEnforcer.ts'
import { json, standInEnv, startStandIn } from '../test/support/kernel/standIns.ts'
import { policiesOf, policyText } from '../test/support/policies.ts'
import { runAdvisor } from '../webhook/advisor/advisor.ts'
import { createAsk } from '../webhook/advisor/ask.ts'

/** At the same time, while the fleet begins. */
const AT_ONCE = 20
const [minutes = 15, ...given] = process.argv.slice(2).map(Number)
const sizes = given.length > 0 ? given : [10, 1_000, 5_000]

class Tally {
  private readonly counts = new Map<string, number>()
  add(call: Call, whose = ''): void {
    const { verb, resource } = findDeed(call)
    this.count(`${whose}${verb} ${resource}`)
  }
  count(deed: string): void {
    this.counts.set(deed, (this.counts.get(deed) ?? 0) + 1)
  }
  /** A minute, and from now on nothing. */
  take(passed: number): readonly (readonly [string, number])[] {
    const rates = [...this.counts].map(([deed, count]) => [deed, count / passed] as const)
    this.counts.clear()
    return rates.toSorted(([a], [b]) => a.localeCompare(b))
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of left) await work(item)
    }),
  )
}

interface Fleet {
  readonly connection: Connection
  readonly token: string
  readonly stopped: AbortSignal
}

/** Of one fleet: its pods, and beside them its enforcers. */
const namespacesOf = (size: number): readonly [string, string] => [`fleet-${size}`, `enforcers-${size}`]
const ENFORCER = { app: 'enforcer' }

/** A node, its pod, and its enforcer. A busy machine drops connections: what is there already is there. */
async function createObjects(cluster: Cluster, size: number, nodeName: string): Promise<void> {
  const [pods, enforcers] = namespacesOf(size)
  const podOf = (labels: object): object => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: nodeName, labels } },
    spec: { nodeName, containers: [{ name: 'c', image: 'registry.test/c' }] },
  })
  const status = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] }
  const isMade = (request: KubeRequest): Promise<boolean> =>
    cluster.client.request(request).then(
      () => true,
      (error: unknown) => isKubeError(error, 'AlreadyExists'),
    )
  const make = async (request: KubeRequest): Promise<void> => {
    while (!(await isMade(request))) await sleep(500)
  }
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } }
  await make({ method: 'POST', path: '/api/v1/nodes', body: node })
  for (const [namespace, labels] of [
    [pods, {}],
    [enforcers, ENFORCER],
  ] as const) {
    const path = `/api/v1/namespaces/${namespace}/pods`
    await make({ method: 'POST', path, body: podOf(labels) })
    const contentType = 'application/merge-patch+json'
    await make({ method: 'PATCH', path: `${path}/${nodeName}/status`, contentType, body: { status } })
  }
}

const POLICY = policyText(
  'fleet',
  '{name: all, adaptive: {windows: [{over: 15m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}]}}',
)

/** The advisor of one fleet, at its usual interval; `port` is where every enforcer answers. */
function startAdvisor(size: number, port: number, { connection, stopped }: Fleet, tally: Tally): void {
  const [name, namespace] = namespacesOf(size)
  const clock = (): number => performance.now() / 1000
  const ask = createAsk({ port, readToken: () => Promise.resolve(undefined), now: () => new Date() })
  const policies = policiesOf(POLICY)
  const quiet = (): void => undefined
  void runAdvisor({
    client: createKubeClient(connection, { clock, onCall: (call) => tally.add(call, 'advisor: ') }),
    ...{ clock, stopped, now: () => new Date(), random: Math.random, identity: 'advisor' },
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    ask(address, wanted, signal) {
      tally.count('advisor: get enforcer')
      return ask(address, wanted, signal)
    },
    readRulebook: () => ({ policies, exemptNamespaces: [] }),
    readNamespaces: () => new Map([[name, { name, labels: { 'iops-limit/enforce': 'fleet' } }]]),
    observe: {
      ...{ advised: quiet, wrote: quiet, refused: quiet, counted: quiet, turned: quiet },
      failed: (error) => console.log(`the advisor of ${size} nodes: ${messageOf(error)}`),
      asked(node, { outcome }) {
        if (outcome !== 'answered') console.log(`the advisor of ${size} nodes: ${node} is ${outcome}`)
      },
    },
    settings: { namespace, selector: 'app=enforcer', interval: 45_000 },
  })
}

/** What follows the node's pods, and somebody who looks at it once a minute. */
async function startNode(nodeName: string, fleet: Fleet, tally: Tally): Promise<void> {
  const { connection, token, stopped } = fleet
  const onCall = (call: Call): void => tally.add(call)
  const clock = (): number => performance.now()
  const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    sleep(milliseconds, undefined, { signal })
  const source = createApiServerSource({
    ...{ connection, nodeName, onCall, clock, stopped, random: Math.random },
    ...{ onChanged: () => undefined, sleep: wait },
  })
  // A machine that is busy takes longer than a source waits for.
  while (
    !(await source.read().then(
      () => true,
      () => false,
    ))
  )
    await wait(1_000, stopped)
  const client = createKubeClient(connection, { clock: () => clock() / 1000, onCall })
  const access = createAccess({ client, clock, audiences: [] })
  void lookEachMinute(() => access.check(token, '/api/v1/containers'), stopped)
}

async function lookEachMinute(look: () => Promise<unknown>, stopped: AbortSignal): Promise<void> {
  await sleep(Math.random() * 60_000, undefined, { signal: stopped }).catch(() => undefined)
  while (!stopped.aborted) {
    await look()
    await sleep(60_000, undefined, { signal: stopped }).catch(() => undefined)
  }
}

/** The paths that one enforcer asks its kubelet for, a minute. */
async function measureKubelet(milliseconds: number): Promise<string> {
  const node = createRecordedNode()
  await using kubelet = await startStandIn((request, response) => {
    if (request.url === '/stats/summary') response.end(readRecorded('kubelet-stats-summary.json'))
    else if (request.url === '/metrics/cadvisor') response.end(readRecorded('kubelet-metrics-cadvisor.txt'))
    else json(markedPods())(request, response)
  })
  await using enforcer = startEnforcer([], { env: { ...node.env, ...standInEnv(kubelet) } })
  await enforcer.origin()
  await sleep(milliseconds)
  const counts = Map.groupBy(kubelet.calls, (path) => path)
  const rows = [...counts].map(
    ([path, calls]) => `${path} ${((calls.length * 60_000) / milliseconds).toFixed(1)}`,
  )
  node.dispose()
  return rows.join(', ')
}

/** The page of an enforcer whose node has nothing to tell. */
async function startPages(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((_, response) => response.end('{"items": [], "total": 0}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The administrator's, who may look at everything. */
function readToken(kubeconfig: string): string {
  const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly users: readonly { readonly user: { readonly token: string } }[]
  }
  return users[0]?.user.token ?? ''
}

async function bench(): Promise<void> {
  await using cluster = await startCluster()
  const kubelet = measureKubelet(minutes * 60_000)
  const connection = openKubeconfig(cluster.kubeconfig)
  const stopping = new AbortController()
  const fleet: Fleet = { connection, token: readToken(cluster.kubeconfig), stopped: stopping.signal }
  const tallies = sizes.map((size) => ({ size, tally: new Tally() }))
  await using pages = await startPages()
  for (const { size, tally } of tallies) {
    const [pods, enforcers] = namespacesOf(size)
    for (const name of [pods, enforcers])
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const names = Array.from({ length: size }, (_, index) => `fleet-${size}-${index}`)
    const began = performance.now()
    await inTurns(names, (name) => createObjects(cluster, size, name))
    await inTurns(names, (name) => startNode(name, fleet, tally))
    startAdvisor(size, pages.port, fleet, tally)
    console.log(`${size} nodes follow after ${((performance.now() - began) / 1000).toFixed(0)} s`)
  }
  await sleep(minutes * 20_000)
  for (const { tally } of tallies) tally.take(1)
  const passed = minutes * (2 / 3)
  await sleep(passed * 60_000)
  for (const { size, tally } of tallies) {
    const rates = tally.take(passed).map(([deed, rate]) => `${deed} ${rate.toFixed(1)}`)
    console.log(`${size} nodes, calls a minute: ${rates.join(', ') || 'none'}`)
  }
  console.log(`one enforcer to its kubelet, calls a minute: ${await kubelet}`)
  stopping.abort()
}

await bench()
