/** Which enforcer runs on which node, by the API server's word. */
import { isIP } from 'node:net'
import type { KubeClient } from '../../kube/client.ts'
import { collectionOf } from '../cluster/backfillPods.ts'
import { listPages, readText } from './pods.ts'

export interface EnforcerQuery {
  /** Our own: whoever may create pods in others could else pass as an enforcer. */
  readonly namespace: string
  /** Label selector of the DaemonSet's pods. */
  readonly selector: string
  readonly signal: AbortSignal
}

/**
 * IP addresses by name of the node, of those nodes that have one. Asked for anew each turn: an address that an enforcer has
 * given up is another pod's soon, which would be believed.
 */
export async function findEnforcers(
  client: KubeClient,
  nodes: ReadonlySet<string>,
  { namespace, selector, signal }: EnforcerQuery,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  if (nodes.size === 0) return found
  const query = { labelSelector: selector, fieldSelector: 'status.phase=Running' }
  for await (const items of listPages(client, collectionOf(namespace), query, signal)) {
    for (const item of items) {
      const node = readText(item, 'spec', 'nodeName')
      const address = readText(item, 'status', 'podIP')
      const isEnding = readText(item, 'metadata', 'deletionTimestamp') !== ''
      if (nodes.has(node) && isIP(address) !== 0 && !isEnding) found.set(node, address)
    }
    if (found.size === nodes.size) break
  }
  return found
}
