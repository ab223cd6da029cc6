/** One advice carried out: through the API and its admission, as anybody's write. */
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError, type KubeError } from '../../kube/error.ts'
import { collectionOf } from '../cluster/backfillPods.ts'
import type { Changes } from '../policy/changes.ts'
import type { NodePod } from './pods.ts'

/** The name under which the advisor writes. */
export const ADVISOR_MANAGER = 'iops-limit-advisor'

/**
 * `conflict`: the pod has changed since it was read, or is gone. `refused`: the API server, or its admission, does not take it, and
 * will not in a moment either.
 */
export type WriteOutcome =
  | { readonly outcome: 'written' | 'conflict' }
  | { readonly outcome: 'refused'; readonly reason: string }

/** What the API server says of the write itself. */
const REFUSED: ReadonlySet<number> = new Set([400, 403, 413, 422])

/** Throws where that is no matter of this pod: the API server is away, or busy. */
export async function writeChanges(
  client: KubeClient,
  { namespace, name, uid, resourceVersion }: NodePod,
  { set, remove }: Changes,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const annotations = { ...set, ...Object.fromEntries(remove.map((key) => [key, null])) }
  try {
    await client.request({
      method: 'PATCH',
      path: `${collectionOf(namespace)}/${encodeURIComponent(name)}`,
      query: { fieldManager: ADVISOR_MANAGER },
      contentType: 'application/merge-patch+json',
      body: { metadata: { uid, resourceVersion, annotations } },
      signal,
    })
    return { outcome: 'written' }
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Conflict')) return { outcome: 'conflict' }
    if (isKubeError(error) && isRefused(error)) return { outcome: 'refused', reason: error.message }
    throw error
  }
}

const isRefused = ({ status }: KubeError): boolean => REFUSED.has(status)
