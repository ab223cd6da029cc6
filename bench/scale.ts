/**
 * A large cluster, simulated: a real API server, the real webhook with its back-fill, the real sources of a fleet of enforcers, and
 * pods that never run. What each side asks of the API server, phase by phase; then, on paper, what 5,000 nodes and 150,000 pods
 * would. The enforcers' source is the API server, which by default is only asked while a kubelet does not answer.
 *   npm run bench:scale -- [NODES] [PODS] [SECONDS]      50, 1,500 and 20 if nothing is said; docs/scale.md: 500 15000 60
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKubeconfig } from '../kube/kubeconfig.ts'
import { type Cluster, startCluster } from '../test/support/cluster/cluster.ts'
import { findFreePort } from '../test/support/cluster/daemon.ts'
import { createClient } from '../test/support/https/client.ts'
import { until } from '../test/support/until.ts'
import { addUp } from './cluster/histogram.ts'
import { register } from './cluster/objects.ts'
import { createOurs } from './cluster/ours.ts'
import { type Fleet, startFleet } from './scale/fleet.ts'
import { type Meter, startMeter } from './scale/meter.ts'
import { extrapolate, findUnits, type Phase, type Size } from './scale/paper.ts'
import { startProbe } from './scale/probe.ts'
import { formatPaper, formatPhases } from './scale/report.ts'
import {
  changePolicy,
  countSilver,
  createNodes,
  createPods,
  nodeOf,
  passThrough,
  prepare,
} from './scale/world.ts'
import { createInputs, type Inputs } from './webhook/inputs.ts'
import { type Running, start } from './webhook/servers.ts'

/** Of the chart; the fast one leaves the pace to the API server. */
const QPS = { usual: 40, fast: 1000 }
const DEFAULTS = { qps: QPS.usual, interval: 300, replicas: 2, share: 0.1 }
const LARGE: Size = { nodes: 5_000, pods: 150_000 }
/** Pods that come and go, a second. */
const CHURN = 10
const ENDPOINT = 'ours'
const PATIENCE = 900_000

interface Scene {
  readonly cluster: Cluster
  readonly size: Size
  readonly inputs: Inputs
  readonly meters: { readonly enforcers: Meter; readonly webhook: Meter }
  readonly phases: Phase[]
}

interface Webhook extends Disposable {
  readonly running: Running
  /** The sum of a metric's samples. */
  readonly read: (metric: string) => Promise<number>
}

async function bench(size: Size, length: number): Promise<void> {
  await using cluster = await startCluster()
  await prepare(cluster, ENDPOINT)
  await using forEnforcers = await startMeter(cluster.origin)
  await using forWebhook = await startMeter(cluster.origin)
  using inputs = await createInputs()
  const meters = { enforcers: forEnforcers, webhook: forWebhook }
  const scene: Scene = { cluster, size, inputs, meters, phases: [] }
  using usual = await startWebhook(scene, QPS.usual)
  const began = performance.now()
  await createNodes(cluster, size)
  await createPods(cluster, size)
  progress(`${size.pods} pods admitted in ${((performance.now() - began) / 1000).toFixed(0)} s`)
  using fleet = await begin(scene, usual)
  await live(scene, { fleet, webhook: usual }, length)
  await usual.running.end()
  using fast = await startWebhook(scene, QPS.fast)
  const seconds = await hurry(scene, { fleet, webhook: fast })
  await report(scene, seconds)
}

interface Cast {
  /** Undefined until it has begun. */
  fleet?: Fleet
  readonly webhook: Webhook
}

async function begin(scene: Scene, webhook: Webhook): Promise<Fleet> {
  const { cluster, size, meters } = scene
  const origin = new URL(`https://127.0.0.1:${meters.enforcers.port}`)
  const names = Array.from({ length: size.nodes }, (_, index) => nodeOf(index))
  const cast: Cast = { webhook }
  await measure(scene, cast, 'enforcers begin, 50 at once', async () => {
    cast.fleet = await startFleet(names, { ...openKubeconfig(cluster.kubeconfig), origin })
    return size.nodes
  })
  const { fleet } = cast
  const seen = await fleet?.countPods()
  if (fleet === undefined || seen !== size.pods)
    throw new Error(`the enforcers see ${seen} of ${size.pods} pods`)
  return fleet
}

/** At the chart's pace. */
async function live(scene: Scene, cast: Cast, length: number): Promise<void> {
  const { cluster, size } = scene
  await measure(scene, cast, 'nothing happens', async () => {
    await sleep(length * 1000)
    return 0
  })
  await measure(scene, cast, `${CHURN} pods a second come and go`, async () => {
    const passing = Array.from({ length: length * CHURN }, async (_, index) => {
      await sleep((index * 1000) / CHURN)
      await passThrough(cluster, index, size)
    })
    await Promise.all(passing)
    return passing.length
  })
  await measure(scene, cast, 'a policy changes, and nothing for the pods', () =>
    untilRisen(cast.webhook, 'examined_pods_total', size.pods - countSilver(size.pods), () =>
      changePolicy(cluster, 'gold', 'max', 6000),
    ),
  )
  await measure(scene, cast, `a default changes, ${QPS.usual} writes a second`, () =>
    untilRisen(cast.webhook, 'patched_pods_total', countSilver(size.pods), () =>
      changePolicy(cluster, 'silver', 'default', 1900),
    ),
  )
}

/** As fast as it goes; gives the seconds that the new leader took for a look at everything. */
async function hurry(scene: Scene, cast: Cast): Promise<number> {
  const { cluster, size } = scene
  await untilReached(cast.webhook, 'examined_pods_total', size.pods)
  const seconds = await cast.webhook.read('iops_limit_backfill_last_full_pass_seconds')
  await measure(scene, cast, `a default changes, up to ${QPS.fast} writes a second`, () =>
    untilRisen(cast.webhook, 'patched_pods_total', size.pods - countSilver(size.pods), () =>
      changePolicy(cluster, 'gold', 'default', 1900),
    ),
  )
  return seconds
}

type Counter = 'examined_pods_total' | 'patched_pods_total'

/** By so many after the cause; gives how many. */
async function untilRisen(
  webhook: Webhook,
  counter: Counter,
  by: number,
  cause: () => Promise<void>,
): Promise<number> {
  const before = await webhook.read(`iops_limit_backfill_${counter}`)
  await cause()
  await untilReached(webhook, counter, before + by)
  return by
}

async function untilReached({ read }: Webhook, counter: Counter, count: number): Promise<void> {
  await until(async () => {
    await sleep(100)
    return (await read(`iops_limit_backfill_${counter}`)) >= count
  }, PATIENCE)
}

/** Runs the phase, which gives how many objects it was about. */
async function measure(scene: Scene, cast: Cast, name: string, work: () => Promise<number>): Promise<void> {
  const { meters, inputs, phases } = scene
  const look = async () => ({
    enforcers: { ...meters.enforcers.bytes, calls: cast.fleet?.calls ?? 0 },
    webhook: {
      ...meters.webhook.bytes,
      calls: await cast.webhook.read('iops_limit_webhook_kube_requests_total'),
    },
  })
  const before = await look()
  const probe = startProbe(cast.webhook.running, inputs)
  const began = performance.now()
  const objects = await work()
  const seconds = (performance.now() - began) / 1000
  const after = await look()
  const since = (side: 'enforcers' | 'webhook') => ({
    calls: after[side].calls - before[side].calls,
    down: after[side].down - before[side].down,
    up: after[side].up - before[side].up,
  })
  phases.push({
    name,
    seconds,
    objects,
    ...(await probe.stop()),
    enforcers: since('enforcers'),
    webhook: since('webhook'),
  })
  progress(formatPhases(phases.slice(-1)).split('\n').at(-1) ?? '')
}

/** Called by the API server from when this resolves. */
async function startWebhook({ cluster, inputs, meters }: Scene, qps: number): Promise<Webhook> {
  const metricsPort = await findFreePort()
  const flags = [
    '--metrics-port',
    String(metricsPort),
    '--backfill-qps',
    String(qps),
    ...['--shutdown-delay', '0s', '--backfill-interval', '1h'],
  ]
  const running = await start(createOurs(cluster, { flags, apiPort: meters.webhook.port }), inputs)
  const ops = createClient(`http://127.0.0.1:${metricsPort}`)
  const read = async (metric: string): Promise<number> =>
    addUp((await ops.send({ path: '/metrics' })).body, metric)
  await until(async () => (await ops.send({ path: '/readyz' })).status === 200)
  const ca = readFileSync(inputs.ca, 'utf8')
  await register(cluster, {
    name: ENDPOINT,
    origin: `https://127.0.0.1:${running.port}`,
    ca,
    validates: true,
  })
  return {
    running,
    read,
    [Symbol.dispose]: () => {
      ops.close()
      running[Symbol.dispose]()
    },
  }
}

async function report({ cluster, size, phases }: Scene, seconds: number): Promise<void> {
  const text = await cluster.readText('/metrics')
  const watches = addUp(text, 'apiserver_longrunning_requests', { verb: 'WATCH' })
  const ofPods = addUp(text, 'apiserver_longrunning_requests', { verb: 'WATCH', resource: 'pods' })
  const memory = addUp(text, 'process_resident_memory_bytes') / 2 ** 20
  const units = findUnits(phases, size)
  const name = ({ nodes, pods }: Size): string => `${nodes} nodes, ${pods} pods`
  say(
    `${cpus().length} cores of ${cpus()[0]?.model ?? 'a processor'}, Node ${process.versions.node}; ${name(size)}\n`,
  )
  say(formatPhases(phases))
  say(`\na new leader looked at all ${size.pods} pods in ${seconds.toFixed(1)} s`)
  say(`API server: ${watches} watches, ${ofPods} of them of pods; ${memory.toFixed(0)} MiB resident\n`)
  say(formatPaper(new Map([size, LARGE].map((one) => [name(one), extrapolate(one, units, DEFAULTS)]))))
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const progress = (text: string): void => void process.stderr.write(`${text}\n`)

const [nodes = 50, pods = 1_500, seconds = 20] = process.argv.slice(2).map(Number)
if (!(nodes >= 1 && pods >= 50 && seconds >= 1)) {
  process.stderr.write('usage: npm run bench:scale -- [NODES] [PODS] [SECONDS]\n')
  process.exit(2)
}
await bench({ nodes, pods }, seconds)
