/** Events on pods, as `kubectl describe pod` shows them. Source: k8s.io/api/core/v1/types.go (Event). */
import { createHash } from 'node:crypto'
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import type { StandingPod } from '../admission/backfill.ts'

export interface PodEvent {
  readonly type: 'Normal' | 'Warning'
  /** One word, for machines: `IOLimitOutOfBounds`. */
  readonly reason: string
  /** At most 1024 bytes. */
  readonly message: string
}

export interface EventDeps {
  readonly client: KubeClient
  /** The pod that says so. */
  readonly identity: string
  readonly now: () => Date
  readonly signal: AbortSignal
}

type Named = Pick<StandingPod, 'namespace' | 'name' | 'uid'>

/** The same message about the same pod has the same name: whichever replica leads, it is told once while the Event lives. */
export function nameEvent({ name, uid }: Named, message: string): string {
  const hash = createHash('sha256').update(`${uid}\n${message}`).digest('hex').slice(0, 16)
  // Both together have to be a name: 253 characters, and none of its parts may end in "-" or ".".
  return `${name.slice(0, 236).replace(/[-.]+$/, '')}.${hash}`
}

/** False where it stands already. */
export async function writeEvent(
  { client, identity, now, signal }: EventDeps,
  pod: Named,
  { type, reason, message }: PodEvent,
): Promise<boolean> {
  const { namespace, name, uid } = pod
  const time = now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: nameEvent(pod, message) },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    ...{ type, reason, message },
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
