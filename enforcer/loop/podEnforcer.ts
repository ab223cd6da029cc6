/** Pods one by one: looked at, compared, written; and what is known of each since. */

import type { Problem } from '../../contract/problem.ts'
import { applyWrites } from '../apply.ts'
import type { Plan, Write } from '../core/plan.ts'
import type { NodePod } from '../core/pods.ts'
import { findAwaited, isByContainer, isLimited, type Target } from '../core/targets.ts'
import type { Watches } from '../node/watches.ts'
import { type PodPlan, planPod, readingProblems } from '../pass.ts'
import type { Place } from '../place.ts'
import type { Item } from './agenda.ts'
import type { About } from './inquiries.ts'
import { createRetries, type Retries } from './retries.ts'

/** What stands where, and why not. */
export interface PodRecord {
  readonly pod: NodePod
  readonly isLimited: boolean
  readonly folders: readonly string[]
  readonly targets: readonly Target[]
  readonly problems: readonly Problem[]
  /** Directories in which containers appear. */
  readonly watched: readonly string[]
  /** What no status tells yet. */
  readonly awaits: Exclude<About, 'pod'> | undefined
}

/** Told of all that happens to a pod's limits. */
export interface PodObserver {
  readonly written: (pod: NodePod, write: Write, item: Item) => void
  /** What we wrote before stands no longer, though nothing else changed. */
  readonly drifted: (pod: NodePod, write: Write) => void
  readonly failed: (pod: NodePod, code: string) => void
  /** After each look, with all that is wrong now. */
  readonly looked: (pod: NodePod, problems: readonly Problem[]) => void
  /** The pod is listed no longer. */
  readonly forgotten: (id: string) => void
}

export interface PodEnforcerDeps {
  readonly watches: Watches
  readonly observe: PodObserver
  readonly retryLater: (uid: string, milliseconds: number) => void
  /** Milliseconds. */
  readonly clock: () => number
}

export interface PodEnforcer {
  readonly records: ReadonlyMap<string, PodRecord>
  readonly enforce: (pod: NodePod, folders: readonly string[], sight: Sight) => PodRecord
  readonly forget: (uid: string) => void
}

export interface Sight {
  readonly place: Place
  readonly item: Item
}

/** Across looks. */
interface Memory {
  readonly retries: Retries
  /** What was written last, by file and device. */
  readonly held: Map<string, string>
}

export function createPodEnforcer(deps: PodEnforcerDeps): PodEnforcer {
  const records = new Map<string, PodRecord>()
  const memories = new Map<string, Memory>()
  return {
    records,
    enforce: (pod, folders, { place, item }) => {
      const memory = memories.get(pod.uid) ?? { retries: createRetries(deps.clock), held: new Map() }
      memories.set(pod.uid, memory)
      const { plan, watched } = look(deps, pod, { folders, place })
      retainHeld(memory, plan)
      const failures = carryOut({ ...deps, pod, memory, item }, plan)
      const record: PodRecord = {
        pod,
        isLimited: isLimited(pod, place.rules),
        folders,
        targets: plan.targets,
        problems: [...readingProblems(pod, place), ...plan.problems, ...failures],
        watched,
        awaits: watched.length > 0 ? findAbout(pod, plan, place) : undefined,
      }
      records.set(pod.uid, record)
      deps.observe.looked(pod, record.problems)
      return record
    },
    forget: (uid) => {
      const id = records.get(uid)?.pod.id
      if (id !== undefined) deps.observe.forgotten(id)
      records.delete(uid)
      memories.delete(uid)
    },
  }
}

/** A container that is started anew has another cgroup each time: what was written to those before is nobody's. */
function retainHeld({ held }: Memory, { targets }: PodPlan): void {
  const paths = new Set(targets.map(({ path }) => path))
  for (const key of held.keys()) if (!paths.has(key.slice(0, key.lastIndexOf('/')))) held.delete(key)
}

/** Containers run whose names are not known, or only the pod's first one, which is its sandbox unless a status names it. */
function findAbout(pod: NodePod, { groups }: PodPlan, { rules }: Place): PodRecord['awaits'] {
  const awaited = groups.map((group) => findAwaited(pod, group, rules))
  if (awaited.some(({ ids }) => ids.size > 0)) return 'names'
  return awaited.some(({ isOpen }) => isOpen) ? 'oldest' : undefined
}

interface Looked {
  readonly plan: PodPlan
  readonly watched: readonly string[]
}

/** Watches before it looks: what comes in between is seen by one or the other. */
function look(
  { watches }: PodEnforcerDeps,
  pod: NodePod,
  { folders, place }: { readonly folders: readonly string[]; readonly place: Place },
): Looked {
  if (!isLimited(pod, place.rules) || !isByContainerSomehow(pod, place))
    return { plan: planPod(pod, folders, place), watched: [] }
  watches.add(folders)
  const plan = planPod(pod, folders, place)
  if (place.rules.version === 'v2') return { plan, watched: folders }
  const nested = plan.groups.flatMap(({ containers }) => containers.flatMap(({ paths }) => paths))
  const watched = [...folders, ...nested]
  return { plan: watches.add(nested) ? planPod(pod, folders, place) : plan, watched }
}

/** Where the pod's own cgroup carries all, its containers' need no eye on them. */
const isByContainerSomehow = (pod: NodePod, { rules }: Place): boolean =>
  isByContainer(pod, rules) || pod.admitted.overrides.size > 0

interface Work extends PodEnforcerDeps {
  readonly pod: NodePod
  readonly memory: Memory
  readonly item: Item
}

function carryOut(work: Work, { writes }: Plan): readonly Problem[] {
  const { pod, memory, item, observe } = work
  const { retries, held } = memory
  retries.retain(writes)
  const { due, waiting } = retries.sift(writes)
  for (const write of due) if (held.get(keyOf(write)) === write.value) observe.drifted(pod, write)
  const { outcomes, failures } = applyWrites(due)
  for (const { write, outcome } of outcomes) {
    if (outcome === 'written') {
      held.set(keyOf(write), write.value)
      observe.written(pod, write, item)
    } else if (outcome !== 'gone') {
      observe.failed(pod, outcome.code)
      work.retryLater(pod.uid, retries.failed(write, outcome))
    }
  }
  return [...failures, ...waiting]
}

/** The line of one device in one file. */
const keyOf = ({ path, value }: Write): string => `${path} ${value.slice(0, value.indexOf(' '))}`
