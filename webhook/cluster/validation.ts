/** What the validating webhook asks of the cluster beside its caches: seldom, bounded, and never so that its failure refuses anything. */
import { setImmediate as breathe } from 'node:timers/promises'
import { rootField } from '../../contract/reader.ts'
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import { type Foreseen, foresee, type Outlook, readListedPod } from '../admission/outlook.ts'
import type { OutlookPlan } from '../admission/validateNamespace.ts'
import { readPolicy } from '../policy/parse.ts'
import type { Policy } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { listPodPages } from './pods.ts'
import { POLICIES_PATH } from './policies.ts'

export interface ValidationCluster {
  /** Undefined where no pod could be looked at within so many milliseconds. */
  readonly readOutlook: (
    plan: OutlookPlan,
    rulebook: Rulebook,
    milliseconds: number,
  ) => Promise<Outlook | undefined>
  /** As it is stored at this moment; undefined where there is none, or it is none that can be in force. */
  readonly readPolicy: (name: string, milliseconds: number) => Promise<Policy | undefined>
}

export interface ValidationClusterDeps {
  readonly client: KubeClient
  /** The cluster did not answer: the review goes on without. */
  readonly onFailed: (error: unknown) => void
}

export function createValidationCluster({ client, onFailed }: ValidationClusterDeps): ValidationCluster {
  return {
    async readOutlook(plan, rulebook, milliseconds) {
      const signal = AbortSignal.timeout(milliseconds)
      const found: Gathered = { effects: [], looked: 0, total: undefined }
      try {
        await gather(found, { client, plan, rulebook, signal })
      } catch (error) {
        if (!signal.aborted) onFailed(error)
        if (found.looked === 0) return undefined
      }
      return found
    },
    async readPolicy(name, milliseconds) {
      try {
        const path = `${POLICIES_PATH}/${encodeURIComponent(name)}`
        return readPolicy(rootField(await client.request({ method: 'GET', path, timeout: milliseconds }), ''))
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) onFailed(error)
        return undefined
      }
    },
  }
}

/** As Pod Security Admission (k8s.io/pod-security-admission/admission/admission.go, defaultNamespaceMaxPodsToCheck). */
const MOST_PODS = 3000

interface Gathered {
  readonly effects: Foreseen[]
  looked: number
  total: number | undefined
}

interface Gathering {
  readonly client: KubeClient
  readonly plan: OutlookPlan
  readonly rulebook: Rulebook
  readonly signal: AbortSignal
}

/** Into what is found already, so that it counts where the time ends in the middle. */
async function gather(found: Gathered, { client, plan, rulebook, signal }: Gathering): Promise<void> {
  const { namespace, changes } = plan
  for await (const { items, left } of listPodPages(client, namespace.name, signal)) {
    const pods = items.flatMap((item) => readListedPod(item) ?? [])
    found.effects.push(...foresee(changes, { namespace, pods }, rulebook))
    found.looked += items.length
    found.total = left === undefined ? undefined : found.looked + left
    if (found.looked >= MOST_PODS) return
    // Other reviews have waited for this page.
    await breathe()
    if (signal.aborted) return
  }
}
