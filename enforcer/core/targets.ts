/** From a pod's admitted limits to the cgroups that have to carry them. */
import { limitsOf } from '../../contract/admitted.ts'
import { type Caps, capsOf, isEqual, leastOf, NO_CAPS } from './caps.ts'
import type { NodePod } from './pods.ts'
import type { CgroupVersion } from './throttling.ts'

/** A pod's cgroup as it was found in the tree. */
export interface PodGroup {
  readonly uid: string
  /** Of the pod's own directory. */
  readonly path: string
  readonly containers: readonly ContainerGroup[]
  /** Id of the one that was made first; undefined where that cannot be told. */
  readonly oldest?: string
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
  /** Statuses lag: containers that none names yet are limited meanwhile. Left out: they are what the list says. */
  readonly isLive?: boolean
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
 * with all that are nested in it. What carries the limit comes first, so that a change of scope leaves no moment without one.
 */
export function findTargets(pod: NodePod, group: PodGroup, rules: Rules): readonly Target[] {
  const isV1 = rules.version === 'v1'
  const awaited = findAwaited(pod, group, rules)
  const containers = group.containers.flatMap(({ id, paths }) => {
    const container = pod.containers.get(id) ?? (awaited.ids.has(id) ? awaited.name : undefined)
    if (container === undefined) return []
    const caps = pod.containers.has(id) ? findContainerCaps(pod, container, rules) : awaited.caps
    return (isV1 ? paths : paths.slice(0, 1)).map((path) => ({ pod: pod.id, container, path, caps }))
  })
  if (isV1) return containers
  const caps = isAdmitted(pod, rules) ? findPodCaps(pod) : NO_CAPS
  const whole = { pod: pod.id, container: null, path: group.path, caps }
  return pod.admitted.scope === 'pod' ? [whole, ...containers] : [...containers, whole]
}
const findPodCaps = ({ admitted: { scope, limits } }: NodePod): Caps =>
  scope === 'pod' ? capsOf(limits) : NO_CAPS

function findContainerCaps(pod: NodePod, name: string, rules: Rules): Caps {
  const { admitted } = pod
  if (!isAdmitted(pod, rules) || admitted.exemptContainers.has(name)) return NO_CAPS
  return capsOf(isByContainer(pod, rules) ? limitsOf(admitted, name) : (admitted.overrides.get(name) ?? {}))
}

/** Each container is held to its own limit, and the pod as a whole to none. */
export const isByContainer = ({ admitted }: NodePod, { version }: Rules): boolean =>
  version === 'v1' || admitted.scope === 'container'

/** Directories of containers that have started and that no status names yet, and what holds for them until one does. */
export interface Awaited {
  /** Ids that are in the tree and in no status; the sandbox's is not among them. */
  readonly ids: ReadonlySet<string>
  /** The containers that they can be, for messages: `pg`, `pg or proxy`. */
  readonly name: string
  readonly caps: Caps
  /** A status may tell more: of these, or of the oldest, where there is no sandbox. */
  readonly isOpen: boolean
}

const NOBODY: Awaited = { ids: new Set(), name: '', caps: NO_CAPS, isOpen: false }

/**
 * A status comes a second or more after the container has started, too late where limits are the container's own. So the
 * containers that the pod still waits for are held to the least that any of them may do, until the status tells which is which;
 * not where one of them is exempt, since that one is to be left alone, and not where the pod's own limit holds for all.
 * The sandbox, which does no IO, is the pod's oldest: the runtime makes it before any container.
 */
export function findAwaited(pod: NodePod, group: PodGroup, rules: Rules): Awaited {
  if (rules.isLive !== true) return NOBODY
  const present = new Set(group.containers.map(({ id }) => id))
  const started = new Set([...pod.containers].flatMap(([id, name]) => (present.has(id) ? [name] : [])))
  const names = pod.startable.filter((name) => !started.has(name))
  const unnamed = [...present].filter((id) => !pod.containers.has(id))
  if (names.length === 0 || unnamed.length === 0) return NOBODY
  const ids = unnamed.filter((id) => id !== group.oldest)
  const isLeft = names.some((name) => pod.admitted.exemptContainers.has(name)) || !isByContainer(pod, rules)
  const caps = isLeft ? [] : names.map((name) => findContainerCaps(pod, name, rules))
  return { ids: new Set(ids), name: names.join(' or '), caps: leastOf(caps), isOpen: true }
}
