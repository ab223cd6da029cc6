/** From a pod's admitted limits to the cgroups that have to carry them. */
import { limitsOf } from '../../contract/admitted.ts'
import { type Caps, capsOf, isEqual, NO_CAPS } from './caps.ts'
import type { NodePod } from './pods.ts'
import type { CgroupVersion } from './throttling.ts'

/** A pod's cgroup as it was found in the tree. */
export interface PodGroup {
  readonly uid: string
  /** Of the pod's own directory. */
  readonly path: string
  readonly containers: readonly ContainerGroup[]
}

export interface ContainerGroup {
  readonly id: string
  /** The container's directory first, then all that are nested in it. */
  readonly paths: readonly string[]
}

/** One directory, and the caps that it is to carry on every disk: none means that any have to go. */
export interface Target {
  /** `NAMESPACE/NAME`. */
  readonly pod: string
  /** Null for the pod's own directory. */
  readonly container: string | null
  readonly path: string
  readonly caps: Caps
}

/** Who is limited at all: with `requireMark`, only pods that admission marked. */
export interface Rules {
  readonly version: CgroupVersion
  readonly requireMark: boolean
}

export const isAdmitted = ({ admitted }: NodePod, { requireMark }: Rules): boolean =>
  !requireMark || admitted.mark !== undefined

/** Some cgroup of the pod is to carry a cap. */
export const isLimited = (pod: NodePod, rules: Rules): boolean =>
  isAdmitted(pod, rules) &&
  [pod.admitted.limits, ...pod.admitted.overrides.values()].some(
    (limits) => !isEqual(capsOf(limits), NO_CAPS),
  )

/**
 * v2: scope `pod` caps the pod's directory, and overrides the containers' beneath it; scope `container` caps the containers'.
 * v1 throttles each directory by itself, so that one above caps nothing (blkio-controller.rst): always every container's,
 * with all that are nested in it. Directories whose container no status names yet, the sandbox's among them, are left alone.
 * What carries the limit comes first, so that a change of scope leaves no moment without one.
 */
export function findTargets(pod: NodePod, group: PodGroup, rules: Rules): readonly Target[] {
  const isV1 = rules.version === 'v1'
  const admitted = isAdmitted(pod, rules)
  const containers = group.containers.flatMap(({ id, paths }) => {
    const container = pod.containers.get(id)
    if (container === undefined) return []
    const caps = admitted ? findContainerCaps(pod, container, isV1) : NO_CAPS
    return (isV1 ? paths : paths.slice(0, 1)).map((path) => ({ pod: pod.id, container, path, caps }))
  })
  if (isV1) return containers
  const caps = admitted ? findPodCaps(pod) : NO_CAPS
  const whole = { pod: pod.id, container: null, path: group.path, caps }
  return pod.admitted.scope === 'pod' ? [whole, ...containers] : [...containers, whole]
}

const findPodCaps = ({ admitted: { scope, limits } }: NodePod): Caps =>
  scope === 'pod' ? capsOf(limits) : NO_CAPS

function findContainerCaps({ admitted }: NodePod, name: string, isV1: boolean): Caps {
  if (admitted.exemptContainers.has(name)) return NO_CAPS
  const isShared = admitted.scope === 'pod' && !isV1
  return capsOf(isShared ? (admitted.overrides.get(name) ?? {}) : limitsOf(admitted, name))
}
