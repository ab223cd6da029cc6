/** A node that is made up, and the kubelet's answers about it: pods that are copies of a recorded one, of three containers each. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { createStandInNode } from '../../test/support/kernel/recordedNode.ts'

const RECORDED = new URL('../../test/fixtures/recorded/node/', import.meta.url)
const readRecorded = (name: string): string => readFileSync(new URL(name, RECORDED), 'utf8')

const PARENT = 'kubepods/burstable'
const STAGE = 'system.slice'
export const CONTAINERS = ['main', 'proxy', 'logs'] as const

export interface BusyNode {
  readonly env: Readonly<Record<string, string>>
  /** As the kubelet does it: the pod is known, then its cgroups come. */
  readonly replaceOldest: () => void
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void
  /** Of every pod, as the kubelet tells it from now on: operations a second. */
  readonly limit: (iops: number) => void
  /** Whether the first container of the oldest or of the newest pod, in the kubelet's order, is held to it. */
  readonly holds: (which: 'oldest' | 'newest', iops: number) => boolean
  /** Where directories come as the kernel makes them: plain files are not old and new as cgroups are. */
  readonly newest?: NewestPod
  readonly dispose: () => void
}

export interface NewestPod {
  /** From now on it has a container more, which does not run yet. */
  readonly expectContainer: () => void
  /** It runs, and its name is not known yet, as with each at first: its cgroup comes now. */
  readonly addContainer: () => NewContainer
}

export interface NewContainer {
  readonly holds: (iops: number) => boolean
  readonly remove: () => void
}

export function createBusyNode(pods: number): BusyNode {
  const node = createStandInNode()
  const answers = createAnswers()
  let numbers: readonly number[] = []
  let created = 0
  const add = (): void => {
    numbers = [...numbers, created]
    answers.put(numbers)
    for (const folder of foldersOf(created)) {
      node.addV2(path.join(STAGE, folder))
      writeFileSync(node.cgroup(STAGE, folder, 'io.stat'), IO_STAT)
      writeFileSync(node.cgroup(STAGE, folder, 'io.pressure'), IO_PRESSURE)
    }
    const [pod = ''] = foldersOf(created)
    // A kernel's directory has its files from the first moment on.
    renameSync(node.cgroup(STAGE, pod), node.cgroup(pod))
    created += 1
  }
  const drop = (): void => {
    const [oldest = 0, ...others] = numbers
    numbers = others
    renameSync(node.cgroup(PARENT, `pod${uidOf(oldest)}`), node.cgroup(STAGE, 'gone'))
    rmSync(node.cgroup(STAGE, 'gone'), { recursive: true })
  }
  mkdirSync(node.cgroup(PARENT), { recursive: true })
  for (let index = 0; index < pods; index++) add()
  return {
    env: node.env,
    replaceOldest: () => {
      drop()
      add()
    },
    ...{ answer: answers.answer, limit: answers.limit },
    holds: (which, iops) => {
      const index = which === 'newest' ? created - 1 : numbers[0]
      const [, , container = ''] = index === undefined ? [] : foldersOf(index)
      return readFileSync(node.cgroup(container, 'io.max'), 'utf8').includes(`riops=${iops} wiops=${iops}`)
    },
    dispose: node.dispose,
  }
}

const IO_STAT = '259:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n'
const IO_PRESSURE = ['some', 'full']
  .map((kind) => `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n`)
  .join('')

export const uidOf = (index: number): string =>
  `0a1b2c3d-1111-4222-8333-${index.toString(16).padStart(12, '0')}`
export const idOf = (index: number, container: number): string =>
  (index * 4 + container).toString(16).padStart(64, '0')

/** The pod's, its sandbox's and those of its containers. */
const foldersOf = (index: number): readonly string[] => {
  const pod = path.join(PARENT, `pod${uidOf(index)}`)
  return [pod, ...['sandbox', ...CONTAINERS].map((_, number) => path.join(pod, idOf(index, number)))]
}

export interface Answers {
  /** Which pods there are from now on. */
  readonly put: (numbers: readonly number[]) => void
  readonly limit: (iops: number) => void
  /** A container more of one of them. */
  readonly expect: (number: number) => void
  readonly answer: BusyNode['answer']
}

/** Of the recorded pod `db`: its entries are copied, under other names. */
export function createAnswers(): Answers {
  const template = new Template()
  let numbers: readonly number[] = []
  const bodies: Readonly<Record<string, () => string>> = {
    '/pods': () =>
      `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[${shuffle(numbers).map(template.pod).join(',')}]}`,
    '/stats/summary': () => `{"node":{},"pods":[${numbers.map(template.summary).join(',')}]}`,
    '/metrics/cadvisor': () => numbers.map(template.metrics).join(''),
  }
  return {
    put: (now: readonly number[]): void => {
      numbers = now
    },
    limit: (iops: number): void => {
      template.limit = iops
    },
    expect: (number: number): void => {
      template.expecting = number
    },
    answer: ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
      const body = bodies[url]
      response.writeHead(body === undefined ? 404 : 200).end(body?.())
    },
  }
}

/** A kubelet walks over a map, which Go does in another order each time. Source: k8s.io/kubernetes pkg/kubelet/pod/pod_manager.go */
const shuffle = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)

interface Entry {
  readonly [key: string]: unknown
}

const DB = '005fc95c-aff6-4020-87fd-e1e3ffac3e9f'

/** Of one cgroup, what nobody here wants: three quarters of what a kubelet 1.35 tells (the rest is recorded). */
function formatOthers(index: number, container: number): readonly string[] {
  const id = idOf(index, container)
  const labels = `container="${CONTAINERS[container - 1] ?? ''}",id="/${PARENT}/pod${uidOf(index)}/${id}",image="registry.test/load:1",name="${id}",namespace="default",pod="db-${index}"`
  return OTHERS.map((name) => `container_${name}{${labels}} 1.52743936e+08 1795227660358\n`)
}

/** Source: cadvisor/metrics/prometheus.go, by the metrics that k8s.io/kubernetes/pkg/kubelet/cadvisor/cadvisor_linux.go includes. */
const OTHERS = [
  ...['cpu_cfs_periods_total', 'cpu_cfs_throttled_periods_total', 'cpu_cfs_throttled_seconds_total'],
  ...[
    'cpu_load_average_10s',
    'cpu_load_d_average_10s',
    'cpu_system_seconds_total',
    'cpu_usage_seconds_total',
  ],
  ...['cpu_user_seconds_total', 'file_descriptors', 'fs_inodes_free', 'fs_inodes_total', 'fs_limit_bytes'],
  ...['fs_io_current', 'fs_io_time_seconds_total', 'fs_read_seconds_total', 'fs_write_seconds_total'],
  ...['fs_sector_reads_total', 'fs_sector_writes_total', 'fs_usage_bytes', 'memory_cache', 'memory_failcnt'],
  ...['memory_kernel_usage', 'memory_mapped_file', 'memory_max_usage_bytes', 'memory_rss', 'memory_swap'],
  ...['memory_total_active_file_bytes', 'memory_total_inactive_file_bytes', 'memory_usage_bytes'],
  ...['memory_working_set_bytes', 'oom_events_total', 'processes', 'sockets', 'spec_cpu_period'],
  ...['spec_cpu_shares', 'spec_memory_limit_bytes', 'spec_memory_reservation_limit_bytes'],
  ...['spec_memory_swap_limit_bytes', 'start_time_seconds', 'threads', 'threads_max', 'ulimits_soft'],
  ...['pressure_cpu_stalled_seconds_total', 'pressure_cpu_waiting_seconds_total'],
  ...['pressure_memory_stalled_seconds_total', 'pressure_memory_waiting_seconds_total'],
] as const

class Template {
  limit = 500
  /** The pod that has a container of which no status tells. */
  expecting = -1
  readonly #metrics = readRecorded('kubelet-metrics-cadvisor.txt')
    .split('\n')
    .filter((line) => line.includes('pod="db"'))
    .map((line) => `${line}\n`)
    .join('')
  readonly #pod = (JSON.parse(readRecorded('kubelet-pods.json')) as { readonly items: readonly Entry[] })
    .items[0]
  readonly #summary = (
    JSON.parse(readRecorded('kubelet-stats-summary.json')) as { readonly pods: readonly Entry[] }
  ).pods.find(({ podRef }) => (podRef as Entry)['uid'] === DB)

  readonly pod = (index: number): string => {
    const { metadata, spec, status } = this.#pod as Readonly<Record<'metadata' | 'spec' | 'status', Entry>>
    const [container] = spec['containers'] as readonly Entry[]
    const [one] = status['containerStatuses'] as readonly Entry[]
    const annotations = {
      ...(metadata['annotations'] as Entry),
      'iops-limit/policy': 'gold/all',
      'iops-limit/scope': 'container',
      'iops-limit/limit': String(this.limit),
    }
    const names = [...CONTAINERS, ...(index === this.expecting ? ['late'] : [])]
    return JSON.stringify({
      metadata: { ...metadata, name: `db-${index}`, uid: uidOf(index), annotations },
      spec: { ...spec, initContainers: [], containers: names.map((name) => ({ ...container, name })) },
      status: {
        ...{ ...status, initContainerStatuses: [] },
        containerStatuses: CONTAINERS.map((name, number) => ({
          ...{ ...one, name },
          containerID: `containerd://${idOf(index, number + 1)}`,
        })),
      },
    })
  }

  readonly summary = (index: number): string => {
    const [container] = this.#summary?.['containers'] as readonly Entry[]
    return JSON.stringify({
      ...this.#summary,
      podRef: { name: `db-${index}`, namespace: 'default', uid: uidOf(index) },
      containers: CONTAINERS.map((name) => ({ ...container, name })),
    })
  }

  readonly metrics = (index: number): string =>
    this.#metrics
      .replaceAll(DB, uidOf(index))
      .replaceAll(DB.replaceAll('-', '_'), uidOf(index))
      .replaceAll('pod="db"', `pod="db-${index}"`) +
    ['', ...CONTAINERS].flatMap((_, container) => formatOthers(index, container)).join('')
}
