/** Step 4 where the machine allows no real cgroups: the real enforcer on a copy of a recorded node. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createRecordedNode } from '../support/kernel/recordedNode.ts'
import { type Admitted, runProgram } from './admission.ts'
import { formatPodList, type NodePod, toNodePods } from './nodePods.ts'
import { check, say } from './say.ts'

const sliceOf = ({ uid }: NodePod): string =>
  `kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice`

export async function enforceOnStandIn(
  admitted: readonly Admitted[],
  folder: string,
  obstacle: string,
): Promise<void> {
  say.title(
    '4. Enforcement',
    'iops-limit-enforcer, on a COPY of a recorded node: cgroup v2, NVMe partition on /data',
  )
  say.line(`   no IOPS are measured on this machine: ${obstacle}`)
  const node = createRecordedNode()
  try {
    const pods = toNodePods(admitted)
    for (const pod of pods) node.addV2(sliceOf(pod))
    const ioMax = (pod: NodePod): string => readFileSync(node.cgroup(sliceOf(pod), 'io.max'), 'utf8')
    const enforce = async (list: readonly NodePod[]): Promise<void> => {
      const file = path.join(folder, 'pods.json')
      writeFileSync(file, formatPodList(list))
      await runProgram(
        'iops-limit-enforcer',
        ['--pods-file', file, '--once', '--log-level', 'warn'],
        node.env,
      )
    }
    await enforce(pods)
    say.table([
      ['pod', 'io.max of its cgroup (259:0 is the whole disk)'],
      ...pods.map((pod) => [pod.name, ioMax(pod) || '(none: not admitted under a policy)']),
    ])
    const [web] = pods
    if (web === undefined) throw new Error('no pod was admitted')
    check(ioMax(web) === '259:0 rbps=max wbps=max riops=500 wiops=500', 'the default limit was not written')
    check(
      pods
        .filter((pod) => ioMax(pod) !== '')
        .every(({ annotations }) => annotations['iops-limit/policy'] !== undefined),
      'a pod without the mark was limited',
    )
    await enforce(pods.map((pod) => ({ ...pod, annotations: {} })))
    check(ioMax(web) === '259:0 rbps=max wbps=max riops=max wiops=max', 'the limit was not lifted')
    say.note('annotations removed', `web has ${ioMax(web)}`)
  } finally {
    node.dispose()
  }
}
