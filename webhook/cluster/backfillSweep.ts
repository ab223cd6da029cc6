/** The two sweeps of the back-fill: first what cannot wait, then the rest. */
import { type Backfill, readStandingPod, type StandingPod } from '../admission/backfill.ts'
import type { Assignment } from './backfillAgenda.ts'
import type { Teller } from './backfillEvents.ts'
import { mendPod, type PatchDeps } from './backfillPatch.ts'
import { listPods } from './backfillPods.ts'
import type { Tally } from './backfillTally.ts'

export interface SweepDeps extends PatchDeps {
  readonly teller: Teller
  readonly tally: Tally
  readonly pageSize: number
  /** The tally has changed. */
  readonly onCounted: () => void
}

export interface Found {
  /** Pods looked at. */
  readonly pods: number
  /** Namespaces with pods that carry something else than they should, or whose owners have yet to be told. */
  readonly stale: ReadonlySet<string>
  /** Namespaces with pods that could not be mended. */
  readonly failed: ReadonlySet<string>
}

/**
 * Counts, and mends what cannot wait: pods that nothing limits though something should, or the other way round.
 * Whatever else is found is left for {@link sweepRest}.
 */
export async function sweepUrgent({ due, total }: Assignment, deps: SweepDeps): Promise<Found> {
  const sinces = new Map(due.map(({ namespace, since }) => [namespace.name, since]))
  const found = { pods: 0, stale: new Set<string>(), failed: new Set<string>() }
  for (const name of sinces.keys()) deps.tally.reset(name)
  // One list of everything costs less than one each of more than half of it.
  const scopes = sinces.size * 2 > total ? [undefined] : sinces.keys()
  for (const namespace of scopes) {
    for await (const page of listPods(deps.client, {
      ...deps,
      ...(namespace !== undefined && { namespace }),
    })) {
      const pods = readPods(page).filter((pod) => sinces.has(pod.namespace))
      found.pods += pods.length
      const urgent = pods.filter((pod) => {
        const plan = deps.plan(pod)
        if (plan === undefined) return false
        count(pod, plan, sinces.get(pod.namespace) ?? 0, deps.tally)
        if (!isUrgent(plan) && isStale(pod, plan, deps)) found.stale.add(pod.namespace)
        return isUrgent(plan)
      })
      deps.onCounted()
      await mendAll(urgent, deps, ({ namespace: name }) => found.failed.add(name))
      deps.onCounted()
    }
  }
  return found
}

/** Refreshes what stands and tells what is out of bounds; `interlude` comes between, for what cannot wait. */
export async function sweepRest(
  namespace: string,
  deps: SweepDeps,
  interlude: () => Promise<void>,
): Promise<void> {
  for await (const page of listPods(deps.client, { ...deps, namespace })) {
    const stale = readPods(page).filter((pod) => {
      const plan = deps.plan(pod)
      return plan !== undefined && isStale(pod, plan, deps)
    })
    for (let start = 0; start < stale.length; start += AT_ONCE) {
      await interlude()
      await mendAll(stale.slice(start, start + AT_ONCE), deps, () => undefined)
    }
  }
}

const readPods = (page: readonly unknown[]): readonly StandingPod[] =>
  page.flatMap((item) => readStandingPod(item) ?? [])

const isUrgent = ({ isUnmarked, isLifting }: Backfill): boolean => isUnmarked || isLifting

const isStale = (pod: StandingPod, { patch, complaint }: Backfill, { teller }: SweepDeps): boolean =>
  patch !== undefined || (complaint !== undefined && !teller.isTold(pod, complaint))

function count(pod: StandingPod, plan: Backfill, since: number, tally: Tally): void {
  const { namespace, uid, isRunning } = pod
  if (isRunning && (plan.isUnmarked || plan.isUnreadable))
    tally.addUnlimited(namespace, uid, Math.max(pod.since, since))
  if (plan.complaint !== undefined) tally.addOutOfBounds(namespace)
}

/** Requests under way at the same time: the pace is kept though each takes its time. */
const AT_ONCE = 10

/** Rejects with the first failure that is no matter of one pod; nothing is under way by then. */
async function mendAll(
  pods: readonly StandingPod[],
  deps: SweepDeps,
  onFailed: (pod: StandingPod) => void,
): Promise<void> {
  const queue = pods.values()
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    for (const pod of queue) {
      if (failures.length > 0 || deps.signal.aborted) return
      try {
        if (!(await mend(pod, deps))) onFailed(pod)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  if (failures.length > 0) throw failures[0]
}

/** False where the pod could not be mended. It is decided on anew: since its page was read, policy may have changed. */
async function mend(pod: StandingPod, deps: SweepDeps): Promise<boolean> {
  const plan = deps.plan(pod)
  if (plan === undefined) return true
  const { patch, complaint, isUnreadable } = plan
  const outcome = patch === undefined ? 'mended' : await mendPod(pod, patch, deps)
  const isMended = outcome === 'mended' || outcome === 'gone'
  if (patch !== undefined && (outcome === 'gone' || (isMended && !isUnreadable)))
    deps.tally.settle(pod.namespace, pod.uid)
  if (complaint !== undefined && outcome !== 'gone' && !deps.teller.isTold(pod, complaint))
    await deps.teller.tell(pod, complaint)
  return isMended
}
