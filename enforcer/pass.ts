/** One pass: what is to be, compared with what is, and the difference. */
import path from 'node:path'
import { messageOf, type Problem } from '../contract/problem.ts'
import { filesOf, type Plan, planWrites } from './core/plan.ts'
import { type NodePod, parsePodList } from './core/pods.ts'
import { findTargets, isAdmitted, isLimited, type PodGroup, type Rules } from './core/targets.ts'
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
  const cgroups = await detectCgroups(path.resolve(settings.cgroupRoot), settings.cgroupVersion)
  const { disks, problems: diskProblems } = await readMounts(settings)
  if (!list.ok || !cgroups.ok || disks.length === 0) {
    throw new CannotRun([
      ...(list.ok ? [] : list.problems),
      ...(cgroups.ok ? [] : cgroups.problems),
      ...diskProblems,
    ])
  }
  const { pods, problems } = list.value
  const tree = cgroups.value
  const rules = { version: tree.version, requireMark: settings.requireMark }
  const found = await findPodGroups(tree.root, new Set(pods.map(({ uid }) => uid)))
  const place: Place = { tree, rules, devices: [...new Set(disks.map(({ device }) => device))] }
  const { writes, problems: unplanned } = await planPass(pods, found.groups, place)
  return {
    tree,
    devices: place.devices,
    pods: pods.length,
    limited: pods.filter((pod) => isLimited(pod, rules)).length,
    writes,
    problems: [
      ...problems,
      ...diskProblems,
      ...readingProblems(pods, rules),
      ...found.problems,
      ...unplanned,
    ],
    notices: [...noticeFlatness(pods, rules), ...noticeAbsence(pods, found.groups, place)],
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
          field: `PROC_ROOT ${settings.procRoot}`,
          reason: `gives no mountinfo: ${messageOf(error)}`,
          cure: 'mount proc there, or set PROC_ROOT',
        },
      ],
    }
  }
}

interface Place {
  readonly tree: CgroupTree
  readonly rules: Rules
  readonly devices: readonly string[]
}

async function planPass(
  pods: readonly NodePod[],
  groups: readonly PodGroup[],
  { tree, rules, devices }: Place,
): Promise<Plan> {
  const targets = pods.flatMap((pod) =>
    groups.filter(({ uid }) => uid === pod.uid).flatMap((group) => findTargets(pod, group, rules)),
  )
  const snapshot = await readFiles(filesOf(targets, tree.version))
  return planWrites(targets, { version: tree.version, devices, snapshot })
}

/** What cannot be read in a pod's annotations limits nothing; the pod's other keys do. */
const readingProblems = (pods: readonly NodePod[], rules: Rules): readonly Problem[] =>
  pods
    .filter((pod) => isAdmitted(pod, rules))
    .flatMap(({ id, admitted }) =>
      admitted.problems.map((problem) => ({ ...problem, field: `pod ${id}: ${problem.field}` })),
    )

function noticeFlatness(pods: readonly NodePod[], rules: Rules): readonly string[] {
  const shared = pods.filter((pod) => isLimited(pod, rules) && pod.admitted.scope === 'pod')
  if (rules.version === 'v2' || shared.length === 0) return []
  return [
    `cgroup v1 throttles containers only: the limit of scope pod is given to each container (${count(shared)})`,
  ]
}

/** No failure, since a pod can end between the list and the look; but a tree where none is found may be the wrong one. */
function noticeAbsence(
  pods: readonly NodePod[],
  groups: readonly PodGroup[],
  { tree, rules }: Place,
): readonly string[] {
  const found = new Set(groups.map(({ uid }) => uid))
  const absent = pods.filter((pod) => pod.isRunning && isLimited(pod, rules) && !found.has(pod.uid))
  if (absent.length === 0) return []
  return [
    `no cgroup below ${tree.root} for ${count(absent)}, though the list says Running: unless just ended, check CGROUP_ROOT`,
  ]
}

function count(pods: readonly NodePod[]): string {
  const [first = '', ...others] = pods.map(({ id }) => id)
  return others.length === 0 ? first : `${pods.length} pods, the first ${first}`
}
