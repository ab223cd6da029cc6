/**
 * How soon limits stand on a real node: after the cgroup of a pod or of a container, by the kernel's own trace, and after a changed
 * annotation, by a watcher of its own on the machine; never by what the enforcer says of itself.
 *   npm run bench:latency -- [STARTS] [STARTS] [CHANGES]
 * Starts of pods that share a limit, and of pods whose containers have one each, these once more with the weight that pods have on a
 * node of more processors; 100 of each if nothing is said. Changes are those that the API server tells of (POD_SOURCE=apiserver), for
 * which the chart is upgraded on the way.
 * IOPS_LIMIT_MACHINE: the address of a machine that runs (test/support/vm/setup.ts).
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { upgradeChart } from '../test/support/vm/release.ts'
import { type Access, type Address, createAccess } from '../test/support/vm/vm.ts'
import { createWorkload, type Workload } from '../test/support/vm/workload.ts'
import { BEGIN_TRACE, END_TRACE, readTrace, type TracedCgroup } from './cluster/trace.ts'
import { formatDistribution } from './distribution.ts'

interface Change {
  /** Null: it did not come. */
  readonly milliseconds: number | null
}

const NAMESPACE = 'latency'
/** As the chart has it; the suites on such machines have passes oftener. */
const INTERVAL = { 'enforcer.checkInterval': '30s' }
const AT_ONCE = 1
const NODE = '/usr/local/bin/node'

/**
 * A worker has no control plane: here one shares the two emulated processors, and while pods start it is given so little of them
 * (cpu.weight, 100 if nothing is said) that it waits for the node's own programs, and not these for it.
 */
const shareControlPlane = (weight: number): string => `
  mkdir -p /sys/fs/cgroup/control-plane && echo ${weight} >/sys/fs/cgroup/control-plane/cpu.weight
  for pid in $(pgrep -f '^/usr/(local/)?bin/(kube-apiserver|etcd|kube-controller-manager|kube-scheduler) '); do
    echo $pid >/sys/fs/cgroup/control-plane/cgroup.procs
  done`

/**
 * What the kubelet gives all pods together against the node's own programs (system.slice, which has 100), by the node's processors.
 * Source: kubernetes pkg/kubelet/cm/node_container_manager_linux.go (1024 shares a processor); runc's way from shares to cpu.weight.
 */
const findPodsWeight = (processors: number): number =>
  1 + Math.floor(((processors * 1024 - 2) * 9999) / 262_142)

const PODS_WEIGHT = '/sys/fs/cgroup/kubepods.slice/cpu.weight'
const LARGER_NODE = 16

/** As {@link measureStarts}, where pods have the share that they have on a larger node. */
async function measureOnLarger(machine: Access, count: number): Promise<readonly TracedCgroup[]> {
  const before = (await runOn(machine, `cat ${PODS_WEIGHT}`)).trim()
  await runOn(machine, `echo ${findPodsWeight(LARGER_NODE)} >${PODS_WEIGHT}`)
  try {
    return await measureStarts(machine, 'container', count)
  } finally {
    await runOn(machine, `echo ${before} >${PODS_WEIGHT}`)
  }
}

/** What the kernel saw while so many pods of the scope started and went. */
export async function measureStarts(
  machine: Access,
  scope: 'pod' | 'container',
  count: number,
): Promise<readonly TracedCgroup[]> {
  const cluster = createWorkload(machine)
  await prepare(cluster, scope)
  await runOn(machine, shareControlPlane(1))
  await runOn(machine, BEGIN_TRACE)
  for (let done = 0; done < count; done += AT_ONCE) {
    await startAndStop(cluster, scope, Math.min(AT_ONCE, count - done))
  }
  const trace = await runOn(machine, END_TRACE)
  await runOn(machine, shareControlPlane(100))
  return readTrace(trace)
}

/** So many changes of one pod's annotation. */
export async function measureChanges(machine: Access, count: number): Promise<readonly Change[]> {
  const cluster = createWorkload(machine)
  await prepare(cluster, 'pod')
  await send(machine, 'changes.ts')
  await cluster.apply(podOf('pod', 0))
  const pod = await cluster.untilRunning(NAMESPACE, 'app=latency')
  const stdout = await runOn(machine, `${NODE} /tmp/changes.ts ${NAMESPACE} ${pod.name} ${pod.uid} ${count}`)
  await cluster.kubectl('delete', 'pod', '-n', NAMESPACE, pod.name, '--wait=true')
  return readLines(stdout)
}

/** How many pods' limits stood before the first of their containers was made. */
export function countInTime(cgroups: readonly TracedCgroup[]): {
  readonly pods: number
  readonly inTime: number
} {
  const pods = cgroups.filter(({ kind }) => kind === 'pod')
  const inTime = pods.filter(({ path, limited }) => {
    // The first scope is the sandbox's, which does no IO; the next one is the first container's.
    const [, container] = cgroups.filter(
      (cgroup) => cgroup.kind === 'container' && cgroup.path.startsWith(path),
    )
    return limited !== undefined && (container === undefined || limited <= container.created)
  })
  return { pods: pods.length, inTime: inTime.length }
}

/** Milliseconds from each cgroup to its limit, of those that have one. */
const findWaits = (cgroups: readonly TracedCgroup[], wanted: TracedCgroup['kind']): readonly number[] =>
  cgroups.flatMap(({ kind, created, limited }) =>
    kind === wanted && limited !== undefined ? [limited - created] : [],
  )

async function prepare(cluster: Workload, scope: 'pod' | 'container'): Promise<void> {
  const rule = { name: 'all', scope, default: { readIOPS: 100, writeIOPS: 100 } }
  await cluster.apply(
    {
      apiVersion: 'policy.iops-limit/v1alpha1',
      kind: 'IOLimitPolicy',
      metadata: { name: `latency-${scope}` },
      spec: { rules: [rule] },
    },
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'iops-limit/enforce': `latency-${scope}` } },
    },
  )
  await sleep(2000)
}

/** What it printed; throws with its own words where it fails. */
async function runOn(machine: Access, command: string): Promise<string> {
  const { code, stdout, stderr } = await machine.run(command)
  if (code !== 0) throw new Error(`${command}: ${stderr.trim() || `ended with ${code}`}`)
  return stdout
}

const send = async (machine: Access, script: string): Promise<void> => {
  const text = Buffer.from(readFileSync(new URL(`node/${script}`, import.meta.url))).toString('base64')
  await runOn(machine, `echo ${text} | base64 -d >/tmp/${script}`)
}

const podOf = (scope: string, index: number): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: NAMESPACE, name: `latency-${scope}-${index}`, labels: { app: 'latency' } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'test.local/fio:1', imagePullPolicy: 'Never' }],
  },
})

/** Nothing is asked while pods start: one command waits for what the API server tells of itself, for no worker answers questions meanwhile. */
async function startAndStop(cluster: Workload, scope: string, count: number): Promise<void> {
  await cluster.apply(...Array.from({ length: count }, (_, index) => podOf(scope, index)))
  const isRunning = '--for=jsonpath={.status.phase}=Running'
  await cluster.kubectl('wait', 'pods', '-n', NAMESPACE, '--all', isRunning, '--timeout=240s')
  await sleep(500)
  await cluster.kubectl('delete', 'pods', '-n', NAMESPACE, '--all', '--wait=true')
}

const readLines = (text: string): readonly Change[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Change)

async function main([shared = '100', each = '100', changes = '100']: readonly string[]): Promise<void> {
  const { IOPS_LIMIT_MACHINE: file } = process.env
  if (file === undefined) throw new Error('IOPS_LIMIT_MACHINE names no machine: see test/support/vm/setup.ts')
  const machine = createAccess(JSON.parse(readFileSync(file, 'utf8')) as Address)
  await upgradeChart(machine, INTERVAL)
  const ofPods = await measureStarts(machine, 'pod', Number(shared))
  const ofContainers = await measureStarts(machine, 'container', Number(each))
  const ofLarger = await measureOnLarger(machine, Number(each))
  await upgradeChart(machine, { ...INTERVAL, 'enforcer.podSource': 'apiserver' })
  const ofChanges = await measureChanges(machine, Number(changes))
  await upgradeChart(machine)
  const { pods, inTime } = countInTime(ofPods)
  console.log(
    formatDistribution('milliseconds from', {
      "a pod's cgroup to its limit": findWaits(ofPods, 'pod'),
      "a container's cgroup to its limit": findWaits(ofContainers, 'container'),
      [`the same, weights of ${LARGER_NODE} processors`]: findWaits(ofLarger, 'container'),
      'a changed annotation to its limit': ofChanges.flatMap(({ milliseconds }) => milliseconds ?? []),
    }),
  )
  console.log(`${inTime} of ${pods} pods were limited before their first container was made`)
}

if (import.meta.main) await main(process.argv.slice(2))
