/** One pass: what is to be, compared with what is, and the difference. Writes nothing. */
import type { Problem } from '../contract/problem.ts'
import { filesOf, type Plan, planWrites } from './core/plan.ts'
import type { NodePod, PodList } from './core/pods.ts'
import {
  findAwaited,
  findTargets,
  isAdmitted,
  isLimited,
  type PodGroup,
  type Target,
} from './core/targets.ts'
import { readFiles } from './node/files.ts'
import { findPodFolders, readOldest, readPodGroup } from './node/tree.ts'
import type { Place } from './place.ts'

export interface Survey extends Plan {
  readonly place: Place
  /** Listed pods, and those of them that carry limits to enforce. */
  readonly pods: number
  readonly limited: number
  /** What a reader should know, once. */
  readonly notices: readonly string[]
}

/** All pods of a list. */
export function survey({ pods, problems }: PodList, place: Place): Survey {
  const { tree, rules } = place
  const found = findPodFolders(tree.root, new Set(pods.map(({ uid }) => uid)))
  const plans = pods.map((pod) => planPod(pod, found.folders.get(pod.uid) ?? [], place))
  return {
    place,
    pods: pods.length,
    limited: pods.filter((pod) => isLimited(pod, rules)).length,
    writes: plans.flatMap(({ writes }) => writes),
    problems: [
      ...problems,
      ...place.problems,
      ...pods.flatMap((pod) => readingProblems(pod, place)),
      ...found.problems,
      ...plans.flatMap((plan) => plan.problems),
    ],
    notices: findNotices(pods, found.folders, place),
  }
}

export interface PodPlan extends Plan {
  readonly groups: readonly PodGroup[]
  readonly targets: readonly Target[]
}

/** One pod, whose directories are these. */
export function planPod(pod: NodePod, folders: readonly string[], place: Place): PodPlan {
  const { tree, rules, devices, former } = place
  const found = folders.map((folder) => readPodGroup(pod.uid, folder, tree.version))
  const groups = found
    .flatMap((each) => each.groups)
    .map((group) => (findAwaited(pod, group, rules).isOpen ? readOldest(group) : group))
  const targets = groups.flatMap((group) => findTargets(pod, group, rules))
  const scene = { version: tree.version, snapshot: readFiles(filesOf(targets, tree.version)) }
  const plan = planWrites(targets, { ...scene, devices })
  const cleaning = planWrites(former.length === 0 ? [] : targets.map((target) => ({ ...target, caps: {} })), {
    ...scene,
    devices: former,
  })
  return {
    groups,
    targets,
    writes: [...plan.writes, ...cleaning.writes],
    problems: [...found.flatMap((each) => each.problems), ...plan.problems],
  }
}

/** What cannot be read in a pod's annotations limits nothing; the pod's other keys do. */
export const readingProblems = (pod: NodePod, { rules }: Place): readonly Problem[] =>
  isAdmitted(pod, rules)
    ? pod.admitted.problems.map((problem) => ({ ...problem, field: `pod ${pod.id}: ${problem.field}` }))
    : []

export const findNotices = (
  pods: readonly NodePod[],
  folders: ReadonlyMap<string, readonly string[]>,
  place: Place,
): readonly string[] => [
  ...place.notices,
  ...noticeFlatness(pods, place),
  ...noticeAbsence(pods, folders, place),
]

function noticeFlatness(pods: readonly NodePod[], { rules }: Place): readonly string[] {
  const shared = pods.filter((pod) => isLimited(pod, rules) && pod.admitted.scope === 'pod')
  if (rules.version === 'v2' || shared.length === 0) return []
  return [
    `cgroup v1 throttles containers only: the limit of scope pod is given to each container (${count(shared)})`,
  ]
}

/**
 * No failure, since a pod can end between the list and the look, and a status lags behind its end; but a tree where none is found
 * may be the wrong one.
 */
function noticeAbsence(
  pods: readonly NodePod[],
  folders: ReadonlyMap<string, readonly string[]>,
  { tree, rules }: Place,
): readonly string[] {
  const running = pods.filter((pod) => pod.isRunning && isLimited(pod, rules))
  const absent = running.filter(({ uid }) => !folders.has(uid))
  if (absent.length === 0 || (rules.isLive === true && absent.length < running.length)) return []
  return [
    `no cgroup below ${tree.root} for ${count(absent)}, though the list says Running: unless just ended, check CGROUP_ROOT`,
  ]
}

function count(pods: readonly NodePod[]): string {
  const [first = '', ...others] = pods.map(({ id }) => id)
  return others.length === 0 ? first : `${pods.length} pods, the first ${first}`
}
