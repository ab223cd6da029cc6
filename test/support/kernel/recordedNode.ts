/** A copy of the recorded node (cgroup v2, systemd driver, NVMe partition on /data) in a folder of its own. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const RECORDED = new URL('../../fixtures/recorded/node/', import.meta.url)

export const readRecorded = (name: string): string => readFileSync(new URL(name, RECORDED), 'utf8')

/** A pod as the kubelet's `/pods` has it, so far as tests change it. */
export interface RecordedNodePod {
  metadata: { namespace: string; name: string; uid: string; annotations?: Record<string, string> }
  status: { [key: string]: unknown }
  [key: string]: unknown
}

export interface RecordedPodList {
  kind: string
  items: RecordedNodePod[]
  [key: string]: unknown
}

export const recordedPods = (): RecordedPodList =>
  JSON.parse(readRecorded('kubelet-pods.json')) as RecordedPodList

/** The recorded pods, each with the mark of admission. */
export function markedPods(): RecordedPodList {
  const list = recordedPods()
  for (const { metadata } of list.items)
    metadata.annotations = { ...metadata.annotations, 'iops-limit/policy': 'gold/test' }
  return list
}

/** A folder that stands in for a node's roots. */
export interface StandInNode {
  readonly folder: string
  /** The enforcer's environment. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute path of something below the cgroup root. */
  readonly cgroup: (...parts: readonly string[]) => string
  readonly dispose: () => void
}

/** Recorded directories, with an empty io.max in each, mountinfo, and sysfs with its links. */
export function createRecordedNode(): GrowingNode {
  const node = createStandInNode()
  for (const line of readRecorded('cgroup-tree.v2-systemd.txt').split('\n')) {
    if (line.startsWith('/sys/fs/cgroup/')) node.addV2(line.slice('/sys/fs/cgroup/'.length))
  }
  return node
}

export interface GrowingNode extends StandInNode {
  /** A v2 cgroup with an empty io.max. */
  readonly addV2: (folder: string) => void
  /** A v1 cgroup below `blkio`, with its four empty files. */
  readonly addV1: (folder: string) => void
}

/** Disks and mounts as recorded, and no cgroup at all. */
export function createStandInNode(): GrowingNode {
  const folder = mkdtempSync(path.join(tmpdir(), 'iops-limit-node-'))
  const [cgroups, proc, sys] = ['cgroup', 'proc', 'sys'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ]
  const cgroup = (...parts: readonly string[]): string => path.join(cgroups, ...parts)
  mkdirSync(cgroups)
  mkdirSync(path.join(proc, 'self'), { recursive: true })
  writeFileSync(path.join(proc, 'self/mountinfo'), readRecorded('mountinfo.txt'))
  createSysfs(sys)
  return {
    folder,
    env: { CGROUP_ROOT: cgroups, PROC_ROOT: proc, SYS_ROOT: sys },
    cgroup,
    addV2: (group) => {
      mkdirSync(cgroup(group), { recursive: true })
      // Once: who reads it meanwhile must not find it empty.
      if (!existsSync(cgroup('cgroup.controllers')))
        writeFileSync(cgroup('cgroup.controllers'), 'cpuset cpu io memory hugetlb pids rdma misc\n')
      writeFileSync(cgroup(group, 'io.max'), '')
    },
    addV1: (group) => {
      mkdirSync(cgroup('blkio', group), { recursive: true })
      for (const file of ['read_bps', 'read_iops', 'write_bps', 'write_iops'])
        writeFileSync(cgroup('blkio', group, `blkio.throttle.${file}_device`), '')
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** `259:1 -> ../../devices/...`: the links as they were listed, with `dev` and `partition` where they lead. */
function createSysfs(sys: string): void {
  for (const kind of ['class', 'dev']) mkdirSync(path.join(sys, kind, 'block'), { recursive: true })
  for (const [, name = '', target = ''] of readRecorded('sys-block.txt').matchAll(
    / (\S+) -> \.\.\/\.\.\/(devices\/\S+)$/gm,
  )) {
    const device = path.join(sys, target)
    mkdirSync(device, { recursive: true })
    const kind = /^\d+:\d+$/.test(name) ? 'dev' : 'class'
    symlinkSync(path.join('../..', target), path.join(sys, kind, 'block', name))
    if (kind === 'dev') writeFileSync(path.join(device, 'dev'), `${name}\n`)
    if (/p\d+$/.test(target))
      writeFileSync(path.join(device, 'partition'), `${/\d+$/.exec(target)?.[0] ?? ''}\n`)
  }
}
