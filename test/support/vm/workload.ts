/** What the suites on a machine ask of its cluster and of its kernel. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Access } from './vm.ts'

export interface Workload {
  /** Creates or changes an object; throws with kubectl's words where it is refused. */
  apply(...objects: readonly object[]): Promise<string>
  /** Throws with kubectl's words where it fails. */
  kubectl(...args: readonly string[]): Promise<string>
  /** Once pods of this namespace, which enforces a policy, come out of admission with its mark. */
  untilAdmitting(namespace: string): Promise<unknown>
  /** The one pod of the selector, once its containers run. */
  untilRunning(namespace: string, selector: string): Promise<RunningPod>
  /** The line of the NVMe disk in io.max of the pod's own cgroup; empty where there is none. */
  readIoMax(uid: string): Promise<string>
  /** Requests a second that fio measures in the pod, on the NVMe disk, past the page cache. */
  measure(pod: RunningPod, direction: 'randread' | 'randwrite'): Promise<number>
}

export interface RunningPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly annotations: Readonly<Record<string, string>>
}

/** Waits until the question is answered with something; throws with the last error once the time is over. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, seconds = 240): Promise<T> {
  const end = Date.now() + seconds * 1000
  let last: unknown
  while (Date.now() < end) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    await sleep(250)
  }
  throw new Error(`${what}: not within ${seconds} s`, { cause: last })
}

const RUNTIME = 8

export function createWorkload(machine: Access): Workload {
  const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await machine.kubectl(args, stdin)
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  return {
    kubectl: (...args) => kubectl(args),
    apply: (...items) =>
      // Without kubectl's own validation, for which it fetches the whole of OpenAPI each time: half a minute here.
      kubectl(
        ['apply', '--validate=false', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
      ),
    untilAdmitting: (namespace) =>
      until(`admission in ${namespace}`, async () => {
        const pod = {
          ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'probe' } },
          spec: { containers: [{ name: 'main', image: 'test.local/fio:1' }] },
        }
        const flags = ['--dry-run=server', '--validate=false', '-o', 'json']
        const stored = await kubectl(['create', ...flags, '-f', '-'], JSON.stringify(pod))
        return stored.includes('"iops-limit/policy"') || undefined
      }),
    untilRunning: (namespace, selector) =>
      until(`a pod of ${selector} in ${namespace}`, async () => {
        const list = await kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'json'])
        return findRunning(JSON.parse(list) as PodList)
      }),
    async readIoMax(uid) {
      const { stdout } = await machine.run(`cat ${sliceOf(uid)}/io.max`)
      return stdout.trim()
    },
    async measure({ namespace, name }, direction) {
      const flags = `--filename=/data/fio --size=32M --bs=4k --direct=1 --ioengine=libaio --iodepth=16 --time_based --runtime=${RUNTIME} --output-format=json`
      const fio = ['fio', '--name=load', `--rw=${direction}`, ...flags.split(' ')]
      const report = await kubectl(['exec', '-n', namespace, name, '--', ...fio])
      const [job] = (JSON.parse(report.slice(report.indexOf('{'))) as FioReport).jobs
      return (direction === 'randread' ? job?.read.iops : job?.write.iops) ?? 0
    },
  }
}

/** The folder of the pod's own cgroup, in words of a shell. */
export const sliceOf = (uid: string): string =>
  `$(find /sys/fs/cgroup/kubepods.slice -type d -name '*pod${uid.replaceAll('-', '_')}.slice')`

interface PodList {
  readonly items: readonly {
    readonly metadata: Omit<RunningPod, 'annotations'> & {
      readonly annotations?: RunningPod['annotations']
      readonly deletionTimestamp?: string
    }
    readonly status: {
      readonly containerStatuses?: readonly { readonly state: { readonly running?: unknown } }[]
    }
  }[]
}

interface FioReport {
  readonly jobs: readonly Readonly<Record<'read' | 'write', { readonly iops: number }>>[]
}

/** Undefined where there is not exactly one that lives, or where it does not run yet. */
function findRunning({ items }: PodList): RunningPod | undefined {
  const [pod, ...others] = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  if (pod === undefined || others.length > 0) return undefined
  const { namespace, name, uid, annotations = {} } = pod.metadata
  const { containerStatuses = [] } = pod.status
  const runs =
    containerStatuses.length > 0 && containerStatuses.every(({ state }) => state.running !== undefined)
  return runs ? { namespace, name, uid, annotations } : undefined
}
