/** Step 4 on real cgroups of this machine, with a loop device as the disk and the rate measured. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  createLoopDisk,
  createPodGroups,
  type LoopDisk,
  measure,
  type PodGroups,
} from '../support/kernel/kernel.ts'
import { type Admitted, runProgram } from './admission.ts'
import { formatPodList, type NodePod, toNodePods } from './nodePods.ts'
import { check, say } from './say.ts'

const FILES = ['read_iops', 'write_iops', 'read_bps', 'write_bps'].map(
  (name) => `blkio.throttle.${name}_device`,
)

export async function enforceForReal(
  admitted: readonly Admitted[],
  folder: string,
  interrupted: Promise<never>,
): Promise<void> {
  using disk = createLoopDisk()
  say.title(
    '4. Enforcement',
    `iops-limit-enforcer, on REAL cgroups of this machine: cgroup v1, disk ${disk.node} (${disk.device})`,
  )
  const pods = toNodePods(admitted)
  using groups = createPodGroups(pods.map(({ uid, containerId }) => [uid, containerId] as const))
  const enforce = async (list: readonly NodePod[]): Promise<void> => {
    const file = path.join(folder, 'pods.json')
    writeFileSync(file, formatPodList(list))
    await runProgram('iops-limit-enforcer', ['--pods-file', file, '--once', '--log-level', 'error'], {
      DATA_MOUNT: disk.mount,
    })
  }
  await Promise.race([showAndMeasure({ pods, disk, groups, enforce }), interrupted])
}

interface Stage {
  readonly pods: readonly NodePod[]
  readonly disk: LoopDisk
  readonly groups: PodGroups
  readonly enforce: (pods: readonly NodePod[]) => Promise<void>
}

async function showAndMeasure({ pods, disk, groups, enforce }: Stage): Promise<void> {
  const [web] = pods
  if (web === undefined) throw new Error('no pod was admitted')
  const group = groups.container(web.uid, web.containerId)
  const free = await measure(group, disk, { direction: 'read', count: 4000 })
  await enforce(pods)
  say.table([
    ['pod', 'container', 'what the kernel says'],
    ...pods.map((pod) => [pod.name, pod.container, describeCaps(groups.container(pod.uid, pod.containerId))]),
  ])
  say.note('such as', `${group}/${FILES[0] ?? ''}`)
  const capped = await measure(group, disk, { direction: 'read', count: 1250 })
  await enforce(pods.map((pod) => ({ ...pod, annotations: {} })))
  const freed = await measure(group, disk, { direction: 'read', count: 4000 })
  say.line('   measured in the container of web, direct reads of 4 KiB, operations per second:')
  say.line(
    `   ${free.iops.toFixed(0)} before, ${capped.iops.toFixed(0)} under the limit of 500, ${freed.iops.toFixed(0)} once its annotations are removed`,
  )
  check(Math.abs(capped.iops / 500 - 1) < 0.15, 'the measured rate is not within 15 % of the limit')
  check(Math.min(free.iops, freed.iops) > 1000, 'the disk was not free before or after')
}

const describeCaps = (group: string): string =>
  FILES.map((file) => [file, readFileSync(path.join(group, file), 'utf8').trim()] as const)
    .filter(([, text]) => text !== '')
    .map(([file, text]) => `${file.slice('blkio.throttle.'.length)} ${text}`)
    .join(', ') || '(none: not admitted under a policy)'
