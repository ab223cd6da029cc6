/** From what is to be and what is, to what has to be written. Carried out, a plan leaves nothing to plan. */
import type { Problem } from '../../contract/problem.ts'
import type { Target } from './targets.ts'
import { type CgroupVersion, THROTTLINGS } from './throttling.ts'

/** One write of one line to one file. */
export interface Write {
  /** `NAMESPACE/NAME`. */
  readonly pod: string
  /** Null where the file is the pod's own. */
  readonly container: string | null
  /** Absolute, of the file. */
  readonly path: string
  readonly value: string
}

/**
 * A cgroup file as it was read: its text, or that it or its whole directory is not there, or why it cannot be read.
 * `disabledBy`: the cgroup.subtree_control that keeps it from being there.
 */
export type FileState =
  | { readonly text: string }
  | { readonly failure: string }
  | { readonly disabledBy: string }
  | 'no-file'
  | 'no-directory'

/** By absolute path of the file. */
export type Snapshot = ReadonlyMap<string, FileState>

export interface Plan {
  readonly writes: readonly Write[]
  /** Targets that cannot carry a cap. */
  readonly problems: readonly Problem[]
}

export interface Scene {
  readonly version: CgroupVersion
  /** `MAJOR:MINOR` of whole disks. */
  readonly devices: readonly string[]
  readonly snapshot: Snapshot
}

/** The files to read before a plan can be made. */
export const filesOf = (targets: readonly Target[], version: CgroupVersion): readonly string[] =>
  targets.flatMap(({ path }) => THROTTLINGS[version].files.map((file) => `${path}/${file}`))

export function planWrites(targets: readonly Target[], scene: Scene): Plan {
  const plans = targets.map((target) => planTarget(target, scene))
  return {
    writes: plans.flatMap(({ writes }) => writes),
    problems: plans.flatMap(({ problems }) => problems),
  }
}

const NOTHING: Plan = { writes: [], problems: [] }

function planTarget(target: Target, { version, devices, snapshot }: Scene): Plan {
  const { pod, container, path, caps } = target
  const { files, plan } = THROTTLINGS[version]
  const texts = new Map<string, string>()
  const problems: Problem[] = []
  for (const file of files) {
    const state = snapshot.get(`${path}/${file}`)
    // A directory that went away between listing and reading: the pod or container has ended.
    if (state === undefined || state === 'no-directory') return NOTHING
    if (state === 'no-file') problems.push(explainAbsence(target, version, file))
    else if ('disabledBy' in state) problems.push(explainDisabled(target, file, state.disabledBy))
    else if ('failure' in state) problems.push(explainFailure(target, file, state.failure))
    else texts.set(file, state.text)
  }
  // Where nothing is to be limited, a file that is missing keeps nothing from its place.
  if (problems.length > 0) return Object.keys(caps).length === 0 ? NOTHING : { writes: [], problems }
  const writes = devices.flatMap((device) => plan(texts, device, caps))
  return {
    writes: writes.map(({ file, value }) => ({ pod, container, path: `${path}/${file}`, value })),
    problems,
  }
}

/** Whose cgroup it is, as a problem's field. */
export const ownerOf = ({ pod, container }: Pick<Write, 'pod' | 'container'>): string =>
  container === null ? `pod ${pod}` : `pod ${pod}, container ${container}`

const explainFailure = (target: Target, file: string, failure: string): Problem => ({
  field: ownerOf(target),
  reason: `${target.path}/${file} cannot be read: ${failure}`,
  cure: 'run as root, with the cgroup filesystem mounted read-write',
})

/** Source: Linux Documentation/admin-guide/cgroup-v2.rst (cgroup.subtree_control). */
function explainDisabled(target: Target, file: string, disabledBy: string): Problem {
  const parent = `${target.path.slice(0, target.path.lastIndexOf('/'))}/cgroup.subtree_control`
  return {
    field: ownerOf(target),
    reason: `${target.path}/${file} does not exist: ${disabledBy} does not enable the io controller`,
    cure:
      disabledBy === parent
        ? `enable it: echo +io > ${disabledBy}`
        : `enable it there (echo +io > ${disabledBy}) and in each directory below, down to ${parent}`,
  }
}

/** Source: Linux Documentation/admin-guide/cgroup-v2.rst (cgroup.subtree_control); CONFIG_BLK_DEV_THROTTLING in block/Kconfig. */
function explainAbsence(target: Target, version: CgroupVersion, file: string): Problem {
  const parent = target.path.slice(0, target.path.lastIndexOf('/'))
  return {
    field: ownerOf(target),
    reason: `${target.path}/${file} does not exist, so nothing can be limited there`,
    cure:
      version === 'v2'
        ? `enable the io controller for it (echo +io > ${parent}/cgroup.subtree_control) and in every directory above; where it is enabled, the kernel lacks CONFIG_BLK_DEV_THROTTLING`
        : 'use a kernel with CONFIG_BLK_DEV_THROTTLING, or set CGROUP_VERSION where the detected version is wrong',
  }
}
