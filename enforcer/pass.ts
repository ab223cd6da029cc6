/** One pass: what is to be, compared with what is, and the difference. */
import { messageOf, type Problem } from '../contract/problem.ts'
import { filesOf, type Plan, planWrites } from './core/plan.ts'
import { type NodePod, parsePodList } from './core/pods.ts'
import { findTargets, isLimited, type Rules } from './core/targets.ts'
import { type Roots, readDisks } from './node/disks.ts'
import { readFiles } from './node/files.ts'
import { findPodGroups } from './node/tree.ts'
import { type CgroupTree, detectCgroups } from './node/version.ts'
import type { EnforcerSettings } from './settings.ts'

export interface Survey extends Plan {
  readonly tree: CgroupTree
  readonly devices: readonly string[]
  /** Listed pods, and those of them that carry limits to enforce. */
  readonly pods: number
  readonly limited: number
  /** What a reader should know, once. */
  readonly notices: readonly string[]
}

/** The node cannot be enforced on at all: the problems say why. */
export class CannotRun extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('cannot run')
    this.problems = problems
  }
}

export type ReadPodList = () => Promise<unknown>

/** Looks at pods, disks and cgroups and plans the writes; writes nothing. */
export async function survey(settings: EnforcerSettings, readPodList: ReadPodList): Promise<Survey> {
  const list = parsePodList(await readPodList())
  const cgroups = await detectCgroups(withoutSlash(settings.cgroupRoot), settings.cgroupVersion)
  const disks = await readMounts(settings)
  if (!list.ok || !cgroups.ok || disks.disks.length === 0) {
    throw new CannotRun([
      ...(list.ok ? [] : list.problems),
      ...(cgroups.ok ? [] : cgroups.problems),
      ...disks.problems,
    ])
  }
  const { pods, problems } = list.value
  const rules = { version: cgroups.value.version, requireMark: settings.requireMark }
  const devices = [...new Set(disks.disks.map(({ device }) => device))]
  const plan = await planPass(pods, { tree: cgroups.value, rules, devices })
  const limited = pods.filter((pod) => isLimited(pod, rules))
  return {
    tree: cgroups.value,
    devices,
    pods: pods.length,
    limited: limited.length,
    writes: plan.writes,
    problems: [...problems, ...disks.problems, ...limited.flatMap(nameProblems), ...plan.problems],
    notices: findNotices(pods, rules),
  }
}

async function readMounts(settings: EnforcerSettings): ReturnType<typeof readDisks> {
  const roots: Roots = { proc: settings.procRoot, sys: settings.sysRoot }
  try {
    return await readDisks(settings.dataMounts, roots)
  } catch (error) {
    return {
      disks: [],
      problems: [
        {
          field: 'PROC_ROOT',
          value: settings.procRoot,
          reason: `gives no mountinfo: ${messageOf(error)}`,
          cure: 'mount proc there, or set PROC_ROOT',
        },
      ],
    }
  }
}

const withoutSlash = (folder: string): string => folder.replace(/(?<=.)\/+$/, '')

interface Place {
  readonly tree: CgroupTree
  readonly rules: Rules
  readonly devices: readonly string[]
}

async function planPass(pods: readonly NodePod[], { tree, rules, devices }: Place): Promise<Plan> {
  const groups = await findPodGroups(tree.root, new Set(pods.map(({ uid }) => uid)))
  const targets = pods.flatMap((pod) =>
    groups.filter(({ uid }) => uid === pod.uid).flatMap((group) => findTargets(pod, group, rules)),
  )
  return planWrites(targets, {
    version: tree.version,
    devices,
    snapshot: await readFiles(filesOf(targets, tree.version)),
  })
}

/** What cannot be read in a pod's annotations limits nothing; the pod's other keys do. */
const nameProblems = ({ id, admitted }: NodePod): readonly Problem[] =>
  admitted.problems.map((problem) => ({ ...problem, field: `pod ${id}: ${problem.field}` }))

function findNotices(pods: readonly NodePod[], rules: Rules): readonly string[] {
  const shared = pods.filter((pod) => isLimited(pod, rules) && pod.admitted.scope === 'pod')
  if (rules.version === 'v2' || shared.length === 0) return []
  return [
    `cgroup v1 throttles containers only: the limit of scope pod is given to each container (${shared.length} pods, ${shared[0]?.id ?? ''} first)`,
  ]
}
