/**
 * How often the enforcers of a fleet call, a minute: real sources and real checks of tokens, one of each a node, against a real
 * API server; and one whole enforcer beside a kubelet that stands in.
 *   node bench/nodes.ts [MINUTES] [NODES...]      15 minutes, of which the first third is not counted; 10, 1,000 and 5,000 nodes
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiServerSource } from '../enforcer/sources/apiserver.ts'
import { createAccess } from '../enforcer/usage/access.ts'
import { findDeed } from '../kube/call.ts'
import { type Call, type Connection, createKubeClient } from '../kube/client.ts'
import { isKubeError } from '../kube/error.ts'
import { openKubeconfig } from '../kube/kubeconfig.ts'
import { type Cluster, startCluster } from '../test/support/cluster/cluster.ts'
import { createRecordedNode, markedPods, readRecorded } from '../test/support/kernel/recordedNode.ts'
import { startEnforcer } from '../test/support/kernel/runEnforcer.ts'
import { json, standInEnv, startStandIn } from '../test/support/kernel/standIns.ts'

/** At the same time, while the fleet begins. */
const AT_ONCE = 20
const [minutes = 15, ...given] = process.argv.slice(2).map(Number)
const sizes = given.length > 0 ? given : [10, 1_000, 5_000]

class Tally {
  private readonly counts = new Map<string, number>()
  add(call: Call): void {
    const { verb, resource } = findDeed(call)
    const deed = `${verb} ${resource}`
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

/** A node, and its pod. A busy machine drops connections: what is there already is there. */
async function createObjects(cluster: Cluster, nodeName: string): Promise<void> {
  const objects = {
    '/api/v1/nodes': { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } },
    '/api/v1/namespaces/default/pods': {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: nodeName } },
      spec: { nodeName, containers: [{ name: 'c', image: 'registry.test/c' }] },
    },
  }
  for (const [path, body] of Object.entries(objects)) {
    const post = (): Promise<boolean> =>
      cluster.client.request({ method: 'POST', path, body }).then(
        () => true,
        (error: unknown) => isKubeError(error, 'AlreadyExists'),
      )
    while (!(await post())) await sleep(500)
  }
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
  for (const { size, tally } of tallies) {
    const names = Array.from({ length: size }, (_, index) => `fleet-${size}-${index}`)
    const began = performance.now()
    await inTurns(names, (name) => createObjects(cluster, name))
    await inTurns(names, (name) => startNode(name, fleet, tally))
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
