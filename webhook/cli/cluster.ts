/** What the tools read from a cluster: by a kubeconfig, and by GET alone. */
import { type Connection, createKubeClient, type KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import { openKubeconfig } from '../../kube/kubeconfig.ts'
import type { SettingsOf } from '../../settings/settings.ts'
import { POLICIES_PATH } from '../cluster/policies.ts'
import type { CLUSTER_OPTIONS } from './clusterOptions.ts'
import { type Fields, isFields } from './manifest/objects.ts'

type Access = SettingsOf<typeof CLUSTER_OPTIONS>

/** Each request has the headers, besides those of the kubeconfig. Throws where there is no kubeconfig that can be read. */
export function openCluster(
  { kubeconfig, context }: Access,
  headers: Readonly<Record<string, string>> = {},
): KubeClient {
  const { origin, readOptions } = openKubeconfig(kubeconfig, context)
  const connection: Connection = {
    origin,
    async readOptions() {
      const options = await readOptions()
      return { ...options, headers: { ...options.headers, ...headers } }
    },
  }
  return createKubeClient(connection, { clock: () => performance.now() / 1000 })
}

export interface ClusterState {
  readonly policies: readonly Fields[]
  readonly namespaces: readonly Fields[]
}

/** Policies and namespaces as they are now. Throws what {@link KubeClient} throws; a cluster without the CRD has no policies. */
export async function readClusterState(client: KubeClient): Promise<ClusterState> {
  const [policies, namespaces] = await Promise.all([
    listObjects(client, POLICIES_PATH).catch((error: unknown) => {
      if (isKubeError(error, 'NotFound')) return []
      throw error
    }),
    listObjects(client, '/api/v1/namespaces'),
  ])
  return { policies, namespaces }
}

const PAGE = '500'

async function listObjects(client: KubeClient, path: string): Promise<readonly Fields[]> {
  const objects: Fields[] = []
  let next = ''
  do {
    const query = { limit: PAGE, ...(next !== '' && { continue: next }) }
    const page = await client.request({ method: 'GET', path, query })
    const { items, metadata } = isFields(page) ? page : {}
    if (Array.isArray(items)) objects.push(...items.filter(isFields))
    next = isFields(metadata) && typeof metadata['continue'] === 'string' ? metadata['continue'] : ''
  } while (next !== '')
  return objects
}
