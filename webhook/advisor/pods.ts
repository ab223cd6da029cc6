/** The running pods of one namespace with their nodes, page by page. */
import { childOf, readMap, rootField } from '../../contract/reader.ts'
import type { KubeClient } from '../../kube/client.ts'
import { type Page, parsePage } from '../../kube/messages.ts'
import { readStandingPod, type StandingPod } from '../admission/backfill.ts'
import { collectionOf } from '../cluster/backfillPods.ts'

export interface NodePod extends StandingPod {
  /** Where it runs. */
  readonly node: string
}

/** Names the pod wherever something is kept of it. */
export const keyOf = ({ namespace, uid }: Pick<NodePod, 'namespace' | 'uid'>): string => `${namespace}/${uid}`

/** Small enough that reading a page holds up no review. */
export const PAGE_SIZE = 250
/** Milliseconds. */
const TIMEOUT = 30_000

/** Pods that wait for a node, or have ended, do no IO. */
const ON_A_NODE = 'spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed'

/**
 * Without `resourceVersion=0`: the API server would pass over `limit` then, and all would come in one answer, which reviews
 * would have to wait for while it is read. Rejects where a page does not come.
 */
export async function* listPages(
  client: KubeClient,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[], void> {
  let token = ''
  do {
    const page: Page = parsePage(
      await client.request({
        ...{ method: 'GET', path, timeout: TIMEOUT, signal },
        query: { ...query, limit: String(PAGE_SIZE), ...(token !== '' && { continue: token }) },
      }),
      path,
    )
    token = page.next
    yield page.items
  } while (token !== '')
}

export async function listNodePods(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly NodePod[]> {
  const pods: NodePod[] = []
  for await (const items of listPages(client, collectionOf(namespace), { fieldSelector: ON_A_NODE }, signal))
    pods.push(...items.flatMap((item) => readNodePod(item) ?? []))
  return pods
}

function readNodePod(item: unknown): NodePod | undefined {
  const pod = readStandingPod(item)
  const node = readText(item, 'spec', 'nodeName')
  return pod?.isRunning === true && node !== '' ? { ...pod, node } : undefined
}

/** Empty where it is not there. */
export function readText(item: unknown, part: string, key: string): string {
  const root = rootField(item, '')
  const field = childOf(root, readMap(root) ?? {}, part)
  const { value } = childOf(field, readMap(field) ?? {}, key)
  return typeof value === 'string' ? value : ''
}
