/** Events on pods whose values are out of bounds: seen by `kubectl describe pod`. Source: k8s.io/api/core/v1/types.go (Event). */
import { createHash } from 'node:crypto'
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import type { StandingPod } from '../admission/backfill.ts'
import type { PatchObserver } from './backfillPatch.ts'
import type { Pace } from './pace.ts'

export interface Teller {
  /** Whether the pod's owner was told this less than an hour ago. */
  isTold(pod: StandingPod, complaint: string): boolean
  /** Never rejects: an Event that the API server refuses is no reason to stop. */
  tell(pod: StandingPod, complaint: string): Promise<void>
}

export interface TellerDeps {
  readonly client: KubeClient
  readonly pace: Pace
  /** The pod that says so. */
  readonly identity: string
  readonly now: () => Date
  readonly observe: PatchObserver & {
    /** An Event was written. */
    readonly told: () => void
  }
  readonly signal: AbortSignal
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
        const isNew = await writeEvent(deps, pod, complaint)
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

/** The same complaint about the same pod has the same name: whichever replica leads, it is told once while the Event lives. */
function nameEvent({ name, uid }: StandingPod, complaint: string): string {
  const hash = createHash('sha256').update(`${uid}\n${complaint}`).digest('hex').slice(0, 16)
  // Both together have to be a name: 253 characters, and none of its parts may end in "-" or ".".
  return `${name.slice(0, 236).replace(/[-.]+$/, '')}.${hash}`
}

/** False where it stands already. */
async function writeEvent(
  { client, identity, now, signal }: TellerDeps,
  pod: StandingPod,
  complaint: string,
): Promise<boolean> {
  const { namespace, name, uid } = pod
  const time = now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: nameEvent(pod, complaint) },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type: 'Warning',
    reason: EVENT_REASON,
    message: complaint,
    source: { component: 'iops-limit-webhook' },
    reportingComponent: 'iops-limit-webhook',
    reportingInstance: identity,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`
    await client.request({ method: 'POST', path, body, signal })
    return true
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return false
    throw error
  }
}
