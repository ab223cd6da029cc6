/** Carries out what is advised for one pod, or tells it. */
import { type EventDeps, writeEvent } from '../cluster/events.ts'
import type { Pace } from '../cluster/pace.ts'
import type { Act } from './core/decide.ts'
import type { Memory } from './memory.ts'
import { keyOf, type NodePod } from './pods.ts'
import { findEvent } from './words.ts'
import { type WriteOutcome, writeChanges } from './write.ts'

export interface ActObserver {
  /** It was carried out or, by mode `report`, told. */
  readonly advised: (pod: NodePod, act: Act) => void
  readonly wrote: (outcome: WriteOutcome['outcome'] | 'failed') => void
  /** Told once for each reason. */
  readonly refused: (pod: NodePod, reason: string) => void
  /** Something will be tried again by a later turn. */
  readonly failed: (error: unknown) => void
}

export interface ActDeps extends EventDeps {
  /** Of writes and Events together. */
  readonly pace: Pace
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly memory: Memory
  readonly observe: ActObserver
}

/** Seconds: what is only reported is told anew after an hour, as long as the API server keeps Events. */
const REPORTED = 3_600
/** Seconds until a refused write is tried again: doubled with each refusal. */
const FIRST_PAUSE = 60
const LONGEST_PAUSE = 3_600

/** Throws where writing is of no use now, for this pod or any other. */
export async function actOn(pod: NodePod, act: Act, deps: ActDeps): Promise<void> {
  const { memory, observe, clock, now } = deps
  const key = keyOf(pod)
  const until = act.mode === 'report' ? memory.reported.get(key) : memory.refusals.get(key)?.until
  if (clock() < (until ?? Number.NEGATIVE_INFINITY)) return
  await deps.pace.wait(deps.signal)
  if (act.mode === 'report') memory.reported.set(key, clock() + REPORTED)
  else if (!(await isWritten(pod, act, deps))) return
  if (act.kind === 'release') memory.histories.cut(key, now().getTime())
  observe.advised(pod, act)
  await tell(pod, act, deps)
}

async function isWritten(pod: NodePod, { changes }: Act, deps: ActDeps): Promise<boolean> {
  const { client, memory, observe, signal } = deps
  const result = await writeChanges(client, pod, changes, signal).catch((error: unknown) => {
    if (!signal.aborted) observe.wrote('failed')
    throw error
  })
  observe.wrote(result.outcome)
  if (result.outcome === 'refused') refuse(pod, result.reason, deps)
  else memory.refusals.delete(keyOf(pod))
  return result.outcome === 'written'
}

function refuse(pod: NodePod, reason: string, { memory: { refusals }, clock, observe }: ActDeps): void {
  const before = refusals.get(keyOf(pod))
  const count = (before?.count ?? 0) + 1
  const pause = Math.min(FIRST_PAUSE * 2 ** (count - 1), LONGEST_PAUSE)
  refusals.set(keyOf(pod), { reason, count, until: clock() + pause })
  if (before?.reason !== reason) observe.refused(pod, reason)
}

/** An Event that the API server refuses is no reason to stop. */
async function tell(pod: NodePod, act: Act, deps: ActDeps): Promise<void> {
  const event = findEvent(act)
  if (event === undefined) return
  try {
    await writeEvent(deps, pod, event)
  } catch (error) {
    if (!deps.signal.aborted) deps.observe.failed(error)
  }
}
