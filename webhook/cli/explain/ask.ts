/** What a cluster says of one pod: its object, its namespace, the policies, and its node's enforcer. All by GET. */
import { splitList } from '../../../contract/admitted.ts'
import { DEFAULTED_KEY, DIMENSION_NAMES, PREFIX, WRITER_ONLY_KEYS } from '../../../contract/keys.ts'
import { DIMENSIONS } from '../../../contract/limits.ts'
import { messageOf } from '../../../contract/problem.ts'
import { readStringMap, rootField } from '../../../contract/reader.ts'
import type { KubeClient } from '../../../kube/client.ts'
import { isKubeError } from '../../../kube/error.ts'
import { planRelease, readAdapted } from '../../policy/adapted.ts'
import { carryOut } from '../../policy/changes.ts'
import { readClusterState } from '../cluster.ts'
import { type Fields, isFields } from '../manifest/objects.ts'
import { type JudgeOptions, judge } from '../review/judge.ts'
import { readWorld } from '../review/world.ts'
import { type CgroupState, type Enforcement, type Story, tellStory } from './story.ts'

export interface Asked {
  readonly namespace: string
  readonly pod: string
  readonly exemptNamespaces: readonly string[]
}

/** Who is asked: the API server, and by it the enforcer of the node, which wants a token of its own. */
export interface Clients {
  readonly api: KubeClient
  readonly enforcer: KubeClient
}

/** Throws a KubeError where the pod, its namespace or the policies cannot be read. */
export async function askCluster(
  clients: Clients,
  { namespace, pod: name, exemptNamespaces }: Asked,
): Promise<Story> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
  const [pod, state] = await Promise.all([
    clients.api.request({ method: 'GET', path }),
    readClusterState(clients.api),
  ])
  if (!isFields(pod)) throw new Error(`the API server's answer to ${path} is no pod`)
  const { world } = readWorld(
    { cluster: state, policies: [], namespaces: [], input: [] },
    { exemptNamespaces },
  )
  const labels = Object.entries(world.namespaces.get(namespace)?.labels ?? {}).filter(([key]) =>
    key.startsWith('iops-limit/'),
  )
  const document = { value: pod, piece: { text: '', start: 0 }, index: 0, start: 0 }
  const object = {
    file: { name: 'cluster', text: '' },
    document,
    path: [],
    value: { ...pod, metadata: asWritten(pod['metadata']), apiVersion: 'v1', kind: 'Pod' },
  }
  const now = judge({ object, path: [] }, world, LIVE)
  const story = tellStory(pod, Object.fromEntries(labels), now)
  if (story.node === '') return { ...story, enforcementUnknown: 'it is not on one yet' }
  try {
    return { ...story, enforcement: await askEnforcer(clients, story) }
  } catch (error) {
    return { ...story, enforcementUnknown: describeFailure(error) }
  }
}

/** Without what admission put there: so the pod came to it, and so it would come again. */
function asWritten(metadata: unknown): Fields {
  const { annotations: standing, ...rest } = isFields(metadata) ? metadata : {}
  if (!isFields(standing)) return rest
  const texts = readStringMap(rootField(standing, ''))
  const adapted = readAdapted(texts)
  const annotations = adapted === undefined ? texts : carryOut(planRelease(adapted, texts), texts)
  const filled = splitList(annotations[DEFAULTED_KEY] ?? '').map((name) => `${PREFIX}${name}`)
  const ours = new Set<string>([...WRITER_ONLY_KEYS, ...filled])
  return {
    ...rest,
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !ours.has(key))),
  }
}

const LIVE: JudgeOptions = { namespace: undefined, namespaceLabels: undefined, unknownNamespace: 'allow' }

const SELECTOR = 'app.kubernetes.io/component=enforcer'
/** METRICS_PORT of the enforcer where nothing else is set. */
const PORT = 8081

/** Through the API server: nothing but a kubeconfig is needed, and the right to get pods/proxy. */
async function askEnforcer(
  { api, enforcer: proxied }: Clients,
  { node, namespace, name }: Pick<Story, 'node' | 'namespace' | 'name'>,
): Promise<Enforcement> {
  const found = await api.request({
    method: 'GET',
    path: '/api/v1/pods',
    query: { labelSelector: SELECTOR, fieldSelector: `spec.nodeName=${node}` },
  })
  const [enforcer] = listOf(isFields(found) ? found['items'] : [])
  const metadata = isFields(enforcer?.['metadata']) ? enforcer['metadata'] : undefined
  if (metadata === undefined)
    throw new Error(`there is no enforcer on node ${node} (no pod with ${SELECTOR})`)
  const own = { namespace: String(metadata['namespace']), name: String(metadata['name']) }
  const answer = await proxied.request({
    method: 'GET',
    path: `/api/v1/namespaces/${own.namespace}/pods/${own.name}:${PORT}/proxy/api/v1/limits`,
    query: { namespace, pod: name },
  })
  const [item] = listOf(isFields(answer) ? answer['items'] : [])
  if (item === undefined) throw new Error(`enforcer ${own.namespace}/${own.name} does not know the pod yet`)
  return {
    enforcer: `${own.namespace}/${own.name}`,
    state: String(item['state']),
    cgroups: listOf(item['cgroups']).map(readCgroup),
    problems: Array.isArray(item['problems']) ? item['problems'].map(String) : [],
  }
}

function describeFailure(error: unknown): string {
  const wantsToken = isKubeError(error) && error.status === 401
  return wantsToken ? `${messageOf(error)}; give a token by --enforcer-token FILE` : messageOf(error)
}

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])

const readCgroup = ({ container, device, wanted, inForce }: Fields): CgroupState => ({
  ...(typeof container === 'string' && { container }),
  device: String(device),
  wanted: readCaps(wanted),
  inForce: readCaps(inForce),
})

/** By the names of the annotations, as all else is told. */
const readCaps = (caps: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(isFields(caps) ? caps : {}).map(([key, value]) => [nameDimension(key), String(value)]),
  )

const nameDimension = (key: string): string => {
  const dimension = DIMENSIONS.find((known) => known === key)
  return dimension === undefined ? key : DIMENSION_NAMES[dimension].own
}
