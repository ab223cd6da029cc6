/** Events on pods whose values are out of bounds, each told once an hour. */
import type { StandingPod } from '../admission/backfill.ts'
import type { PatchObserver } from './backfillPatch.ts'
import { type EventDeps, nameEvent, writeEvent } from './events.ts'
import type { Pace } from './pace.ts'

export interface Teller {
  /** Whether the pod's owner was told this less than an hour ago. */
  isTold(pod: StandingPod, complaint: string): boolean
  /** Never rejects: an Event that the API server refuses is no reason to stop. */
  tell(pod: StandingPod, complaint: string): Promise<void>
}

export interface TellerDeps extends EventDeps {
  readonly pace: Pace
  readonly observe: PatchObserver & {
    /** An Event was written. */
    readonly told: () => void
  }
}

export const EVENT_REASON = 'IOLimitOutOfBounds'

/** As long as the API server keeps Events (kube-apiserver --event-ttl). */
const HOUR = 3_600_000
/** What is forgotten beyond is told twice. */
const MOST_REMEMBERED = 50_000

export function createTeller(deps: TellerDeps): Teller {
  const { now, observe } = deps
  /** When, by name of the Event; the oldest first. */
  const told = new Map<string, number>()
  return {
    isTold: (pod, complaint) =>
      now().getTime() - (told.get(nameEvent(pod, complaint)) ?? Number.NEGATIVE_INFINITY) < HOUR,
    async tell(pod, complaint) {
      const name = nameEvent(pod, complaint)
      try {
        await deps.pace.wait(deps.signal)
        const event = { type: 'Warning', reason: EVENT_REASON, message: complaint } as const
        const isNew = await writeEvent(deps, pod, event)
        if (isNew) observe.told()
      } catch (error) {
        if (deps.signal.aborted) return
        observe.failed(error)
      }
      told.delete(name)
      told.set(name, now().getTime())
      for (const oldest of told.size > MOST_REMEMBERED ? told.keys().take(1) : []) told.delete(oldest)
    },
  }
}
