/**
 * Three minutes of the chart in a booted cluster, with Prometheus on this side: it scrapes webhook and enforcer through the API
 * server. Two pods load the disk: for a minute with limits that are out of its reach, then `writer` is held to 100 operations a
 * second, a minute later `reader` to 200.
 */
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findBinary } from '../../test/support/cluster/binaries.ts'
import { findFreePort, startDaemon } from '../../test/support/cluster/daemon.ts'
import { type Prometheus, startPrometheus, type Target } from '../../test/support/prometheus/server.ts'
import { makeImages } from '../../test/support/vm/images.ts'
import { importImages, installChart, RELEASE } from '../../test/support/vm/release.ts'
import { type Access, type Address, createAccess, startMachine } from '../../test/support/vm/vm.ts'
import { createWorkload, type Workload } from '../../test/support/vm/workload.ts'

/** Between two scrapes: an emulated API server takes its time. */
export const SECONDS = 5
const MINUTE = 60_000
const NAMESPACE = 'dashboard'
/** Operations a second, more than the emulated disk has. */
const FAR = 50_000

/** Gives the Prometheus that has seen it to `use`, with the time of its beginning in seconds since 1970. */
export async function runInMachine(
  use: (prometheus: Prometheus, began: number) => Promise<void>,
): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const machine = await findMachine(scope)
  const cluster = createWorkload(machine)
  await startLoad(cluster)
  const origin = await startProxy(scope, machine)
  const prometheus = scope.use(await startPrometheus(await findTargets(cluster, origin), SECONDS))
  const began = Date.now() / 1000
  await Promise.all([changeLimits(cluster), beRefused(cluster, AbortSignal.timeout(3 * MINUTE))])
  await use(prometheus, began)
}

/** IOPS_LIMIT_MACHINE: a file with the address of a machine that runs and has the chart. */
async function findMachine(scope: AsyncDisposableStack): Promise<Access> {
  const { IOPS_LIMIT_MACHINE: running } = process.env
  if (running !== undefined) return createAccess(JSON.parse(readFileSync(running, 'utf8')) as Address)
  const images = scope.adopt(makeImages(), ({ shared }) => rmSync(shared, { recursive: true, force: true }))
  const machine = scope.use(await startMachine(images))
  await importImages(machine)
  await installChart(machine)
  return machine
}

const podOf = (name: string, rw: string): object => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { namespace: NAMESPACE, name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        ...{ name: 'main', image: 'test.local/fio:1', imagePullPolicy: 'Never' },
        command: [
          ...['fio', '--name=load', `--rw=${rw}`, `--filename=/data/${name}`, '--size=16M', '--bs=4k'],
          ...['--direct=1', '--ioengine=psync', '--numjobs=4', '--time_based', '--runtime=3600'],
        ],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', hostPath: { path: '/data' } }],
  },
})

async function startLoad(cluster: Workload): Promise<void> {
  const rule = { name: 'all', default: { iops: FAR }, max: { iops: FAR } }
  await cluster.apply(
    {
      ...{ apiVersion: 'policy.iops-limit/v1alpha1', kind: 'IOLimitPolicy', metadata: { name: NAMESPACE } },
      spec: { rules: [rule] },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name: NAMESPACE, labels: { 'iops-limit/enforce': NAMESPACE } },
    },
  )
  await cluster.untilAdmitting(NAMESPACE)
  await cluster.apply(podOf('writer', 'randwrite'), podOf('reader', 'randread'))
  for (const name of ['writer', 'reader']) await cluster.untilRunning(NAMESPACE, `app=${name}`)
}

/** The API server without its credentials, on a port of this side. */
async function startProxy(scope: AsyncDisposableStack, { kubeconfig }: Access): Promise<string> {
  const port = await findFreePort()
  const flags = ['--kubeconfig', kubeconfig, 'proxy', '--port', String(port)]
  const daemon = startDaemon(findBinary('kubectl'), flags)
  scope.defer(() => daemon.stop())
  const origin = `http://127.0.0.1:${port}`
  await daemon.until(async () => (await fetch(`${origin}/readyz`)).ok)
  return origin
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
    readonly spec: { readonly nodeName: string }
  }[]
}

const PORTS: Readonly<Record<string, number>> = { webhook: 8080, enforcer: 8081 }

async function findTargets(cluster: Workload, origin: string): Promise<readonly Target[]> {
  const list = await cluster.kubectl('get', 'pods', '-n', RELEASE, '-o', 'json')
  return (JSON.parse(list) as Pods).items.flatMap(({ metadata: { name, labels }, spec }) => {
    const port = PORTS[labels['app.kubernetes.io/component'] ?? '']
    if (port === undefined) return []
    const url = `${origin}/api/v1/namespaces/${RELEASE}/pods/${name}:${port}/proxy/metrics`
    return [{ url, labels: { instance: name, node: spec.nodeName } }]
  })
}

async function changeLimits(cluster: Workload): Promise<void> {
  const limit = (pod: string, annotation: string): Promise<string> =>
    cluster.kubectl('annotate', 'pod', pod, '-n', NAMESPACE, '--overwrite', annotation)
  await sleep(MINUTE)
  await limit('writer', 'iops-limit/write-iops=100')
  await sleep(MINUTE)
  await limit('reader', 'iops-limit/read-iops=200')
  await sleep(MINUTE)
}

/** Somebody asks for more than there is, again and again. */
async function beRefused(cluster: Workload, stopped: AbortSignal): Promise<void> {
  const greedy = {
    ...podOf('greedy', 'randwrite'),
    metadata: { namespace: NAMESPACE, name: 'greedy', annotations: { 'iops-limit/limit': String(2 * FAR) } },
  }
  while (!stopped.aborted) {
    const refusal = await cluster.apply(greedy).catch((error: unknown) => String(error))
    if (!refusal.includes('above the max')) throw new Error(`the greedy pod was not refused: ${refusal}`)
    await sleep(10_000)
  }
}
