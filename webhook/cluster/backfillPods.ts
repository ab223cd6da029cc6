/** The pods of a namespace, or of all, page by page: nothing of a page is kept behind it. */
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import { type Page, parsePage } from '../../kube/messages.ts'

export interface PodsQuery {
  /** Of all namespaces where it is left out. */
  readonly namespace?: string
  readonly pageSize: number
  readonly signal: AbortSignal
}

/** Big pages of big pods take their time. */
const TIMEOUT = 60_000
const MOST_RESTARTS = 5

/**
 * Pods that have ended are left out. Where the API server has forgotten the list in the middle of it (410: pages were worked on
 * for longer than etcd keeps old versions), it begins again: pods come twice then, never not at all.
 */
export async function* listPods(
  client: KubeClient,
  query: PodsQuery,
): AsyncGenerator<readonly unknown[], void> {
  // Of the next page; empty: the first.
  let token = ''
  let restarts = 0
  do {
    try {
      const page = await readPods(client, query, token)
      token = page.next
      yield page.items
    } catch (error) {
      if (token === '' || !isKubeError(error, 'Expired', 'Gone') || restarts === MOST_RESTARTS) throw error
      restarts++
      token = ''
      continue
    }
    if (token === '') return
  } while (!query.signal.aborted)
}

async function readPods(
  client: KubeClient,
  { namespace, pageSize, signal }: PodsQuery,
  token: string,
): Promise<Page> {
  const path = namespace === undefined ? '/api/v1/pods' : collectionOf(namespace)
  const query = {
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
    limit: String(pageSize),
    ...(token !== '' && { continue: token }),
  }
  return parsePage(await client.request({ method: 'GET', path, query, timeout: TIMEOUT, signal }), path)
}

/** Path of a namespace's pods. */
export const collectionOf = (namespace: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
