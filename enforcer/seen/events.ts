/**
 * Warning Events on pods whose limits cannot be enforced, for their owners, who do not read our log. A courtesy: few, and
 * nothing waits for them or fails with them. Source: k8s.io/api/core/v1 (Event).
 */
import { formatProblem, type Problem } from '../../contract/problem.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { NodePod } from '../core/pods.ts'

export interface Warner {
  /** Sends what was not sent for this pod within the hour. */
  readonly warn: (pod: NodePod, problems: readonly Problem[]) => void
}

export interface WarnerDeps {
  readonly client: KubeClient
  readonly nodeName: string | undefined
  /** Milliseconds, from any start. */
  readonly clock: () => number
  readonly now: () => Date
  /** `dropped`: too many, or refused before. `error`: of the API server, the first time only. */
  readonly told: (result: 'sent' | 'refused' | 'dropped', error?: unknown) => void
}

/** Milliseconds: between two events of the same words on a pod; and for which all are kept back after a refusal. */
const [PAUSE, SULK] = [3_600_000, 600_000]
/** A minute: a node whose disk went has a hundred pods with the same trouble. */
const MOST = 10
/** Of the API server: k8s.io/kubernetes/pkg/apis/core/validation/events.go (NoteLengthLimit). */
const LONGEST_MESSAGE = 1_000

export function createWarner(deps: WarnerDeps): Warner {
  const { clock, told } = deps
  const sent = new Map<string, number>()
  let recent: readonly number[] = []
  let silentUntil = Number.NEGATIVE_INFINITY
  return {
    warn: (pod, problems) => {
      for (const [key, at] of sent) if (clock() - at >= PAUSE) sent.delete(key)
      for (const problem of problems) {
        const message = formatProblem(problem).slice(0, LONGEST_MESSAGE)
        const key = `${pod.uid} ${message}`
        if (sent.has(key)) continue
        recent = recent.filter((at) => clock() - at < 60_000)
        if (recent.length >= MOST || clock() < silentUntil) {
          told('dropped')
          return
        }
        recent = [...recent, clock()]
        sent.set(key, clock())
        send(deps, pod, message).then(
          () => told('sent'),
          (error: unknown) => {
            sent.delete(key)
            silentUntil = clock() + SULK
            told('refused', error)
          },
        )
      }
    },
  }
}

async function send({ client, nodeName, now }: WarnerDeps, pod: NodePod, message: string): Promise<void> {
  const [namespace = '', name = ''] = pod.id.split('/')
  const at = now().toISOString()
  await client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    timeout: 5_000,
    body: {
      metadata: { namespace, generateName: 'iops-limit-enforcer-' },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid: pod.uid },
      type: 'Warning',
      reason: 'LimitNotEnforced',
      message,
      source: { component: 'iops-limit-enforcer', ...(nodeName !== undefined && { host: nodeName }) },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    },
  })
}
