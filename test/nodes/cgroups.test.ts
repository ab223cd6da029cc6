/** The same on nodes that are set up otherwise: the cgroupfs driver, and cgroup v1. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { namespaceOf } from '../support/cluster/objects.ts'
import { policyObject } from '../support/cluster/policies.ts'
import { DISK, runPod } from '../support/vm/pods.ts'
import { startPrepared } from '../support/vm/prepared.ts'
import { importImages, installChart, uninstallChart } from '../support/vm/release.ts'
import type { Machine } from '../support/vm/vm.ts'
import { createWorkload, type RunningPod, until, type Workload } from '../support/vm/workload.ts'

const NAMESPACE = 'opted-in'

interface Node {
  readonly name: string
  /** Further words of the kernel's command line. */
  readonly kernel?: string
  /** Before any pod runs. */
  readonly prepare?: string
  /** Prints what stands in the pod's cgroups on the disk, a line each. */
  readonly read: (uid: string) => string
  readonly expected: readonly string[]
}

const CGROUPFS = [
  "sed -i 's/cgroupDriver: systemd/cgroupDriver: cgroupfs/' /etc/kubernetes/kubelet.yaml",
  "sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml",
  'systemctl restart containerd kubelet',
].join(' && ')

const NODES: readonly Node[] = [
  {
    name: 'cgroup v2, driver cgroupfs',
    prepare: CGROUPFS,
    read: (uid) => `cat $(find /sys/fs/cgroup/kubepods -type d -name 'pod${uid}')/io.max`,
    expected: [`${DISK} rbps=max wbps=max riops=200 wiops=100`],
  },
  {
    name: 'cgroup v1, driver systemd',
    kernel: 'systemd.unified_cgroup_hierarchy=0',
    // Of the pod's three cgroups: its own, the sandbox's, the container's.
    read: (uid) =>
      `cat $(find /sys/fs/cgroup/blkio/ -type d -name '*pod${uid.replaceAll('-', '_')}.slice')/cri-containerd-*.scope/blkio.throttle.{read,write}_iops_device`,
    expected: [`${DISK} 200`, `${DISK} 100`],
  },
]

describe.each(NODES)('$name', ({ kernel, prepare, read, expected }) => {
  let machine: Machine
  let cluster: Workload
  let pod: RunningPod

  beforeAll(async () => {
    const options = { ...inject('images'), ...(kernel !== undefined && { kernel }) }
    machine = await startPrepared(options, async (started) => {
      if (prepare !== undefined) expect(await started.run(prepare)).toMatchObject({ code: 0 })
      await importImages(started)
      await installChart(started, { 'webhook.replicas': '1', 'enforcer.releaseOnExit': 'true' })
    })
    cluster = createWorkload(machine)
    await cluster.apply(
      policyObject('gold', { default: { readIOPS: 200, writeIOPS: 100 } }),
      namespaceOf(NAMESPACE, 'gold'),
    )
    pod = await runPod(cluster, NAMESPACE, 'web')
  }, 2_400_000)

  afterAll(() => machine[Symbol.asyncDispose]())

  const readLines = async (): Promise<readonly string[]> =>
    (await machine.run(read(pod.uid))).stdout.split('\n').filter((line) => line.startsWith(DISK))

  const untilLines = (lines: readonly string[]): Promise<unknown> =>
    until(`limits ${lines.join(', ')}`, async () => (await readLines()).join() === lines.join() || undefined)

  it('limits, as fio measures, and an uninstallation that is asked to lifts it', async () => {
    await untilLines(expected)
    const [reads, writes] = [await cluster.measure(pod, 'randread'), await cluster.measure(pod, 'randwrite')]
    console.log(`limits 200 and 100: fio measured ${reads.toFixed(0)} and ${writes.toFixed(0)}`)
    expect(Math.abs(reads - 200)).toBeLessThanOrEqual(30)
    expect(Math.abs(writes - 100)).toBeLessThanOrEqual(15)
    await uninstallChart(machine)
    await untilLines([])
    expect(await readLines()).toEqual([])
    const left = await cluster.kubectl('get', 'mutatingwebhookconfigurations,validatingwebhookconfigurations')
    expect(left).toBe('')
  })
})
