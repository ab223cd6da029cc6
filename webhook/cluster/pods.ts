/** The pods of one namespace, page by page, with how many there are. */
import { childOf, readMap, rootField } from '../../contract/reader.ts'
import type { KubeClient } from '../../kube/client.ts'
import { parsePage } from '../../kube/messages.ts'
import { collectionOf } from './backfillPods.ts'

export interface PodPage {
  readonly items: readonly unknown[]
  /** How many come behind this page; undefined where the API server does not say. */
  readonly left: number | undefined
}

/** Small enough that a page of them is worked on without others having to wait. */
export const PAGE_SIZE = 250

/**
 * Of any age, ended ones too: a field selector would keep the API server from counting
 * (remainingItemCount in k8s.io/apimachinery/pkg/apis/meta/v1/types.go). Rejects where a page does not come.
 */
export async function* listPodPages(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): AsyncGenerator<PodPage, void> {
  const path = collectionOf(namespace)
  let token = ''
  do {
    const query = { limit: String(PAGE_SIZE), ...(token !== '' && { continue: token }) }
    const body = await client.request({ method: 'GET', path, query, signal })
    const { items, next } = parsePage(body, path)
    token = next
    yield { items, left: next === '' ? 0 : readLeft(body) }
  } while (token !== '')
}

function readLeft(body: unknown): number | undefined {
  const root = rootField(body, '')
  const metadata = childOf(root, readMap(root) ?? {}, 'metadata')
  const { value } = childOf(metadata, readMap(metadata) ?? {}, 'remainingItemCount')
  return typeof value === 'number' ? value : undefined
}
