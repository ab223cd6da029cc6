/** An API server in memory, with pods that keep versions, and that can be told to misbehave. */
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'

export type Values = Readonly<Record<string, string | null>>

export interface StoredPod {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly spec: { readonly nodeName: string; readonly containers: readonly object[] }
  readonly status: { readonly phase: string; readonly podIP: string }
}

export interface NewPod {
  readonly namespace: string
  readonly name: string
  readonly node: string
  readonly uid?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly podIP?: string
  readonly deletionTimestamp?: string
}

export interface PatchBody {
  readonly metadata: {
    readonly uid: string
    readonly resourceVersion: string
    readonly annotations: Values
  }
}

export interface ApiInMemory {
  readonly client: KubeClient
  readonly requests: readonly KubeRequest[]
  /** `METHOD PATH`, with field and label selectors. */
  readonly calls: readonly string[]
  readonly events: readonly Readonly<Record<string, unknown>>[]
  put(pod: NewPod): void
  remove(namespace: string, name: string): void
  find(namespace: string, name: string): StoredPod
  /** As a person would: no precondition. */
  annotate(namespace: string, name: string, annotations: Values): void
  /** Asked at each request: an error to answer with. */
  trouble: (request: KubeRequest) => KubeError | undefined
  /** What admission makes of the annotations of a write. */
  admit: (annotations: Readonly<Record<string, string>>) => Readonly<Record<string, string>>
}

export const refusal = (status: number, reason: string): KubeError =>
  new KubeError(`PATCH: ${reason} (HTTP ${status})`, { status, reason })

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/(pods|events)(?:\/([^/]+))?$/

export function createApi(): ApiInMemory {
  const pods = new Map<string, StoredPod>()
  const requests: KubeRequest[] = []
  const events: Readonly<Record<string, unknown>>[] = []
  let version = 100
  const put = (pod: NewPod): void => {
    const { namespace, name, node, uid, podIP = '', labels = {}, annotations = {}, ...rest } = pod
    version++
    pods.set(`${namespace}/${name}`, {
      metadata: {
        ...{ namespace, name, uid: uid ?? `uid-${name}`, resourceVersion: String(version) },
        ...{ labels, annotations, ...rest },
      },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'registry.test/app:1' }] },
      status: { phase: 'Running', podIP },
    })
  }
  const find = (namespace: string, name: string): StoredPod => {
    const pod = pods.get(`${namespace}/${name}`)
    if (pod === undefined) throw refusal(404, 'NotFound')
    return pod
  }
  const annotate = (namespace: string, name: string, annotations: Values): void => {
    const pod = find(namespace, name)
    const merged = Object.entries({ ...pod.metadata.annotations, ...annotations })
    const kept = merged.filter((entry): entry is [string, string] => entry[1] !== null)
    put({
      ...pod.metadata,
      ...{ node: pod.spec.nodeName, podIP: pod.status.podIP },
      annotations: api.admit(Object.fromEntries(kept)),
    })
  }
  const patch = (namespace: string, name: string, { metadata }: PatchBody): unknown => {
    const { uid, resourceVersion } = find(namespace, name).metadata
    if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion) throw refusal(409, 'Conflict')
    annotate(namespace, name, metadata.annotations)
    return find(namespace, name)
  }
  const list = (namespace: string, { query = {} }: KubeRequest): unknown => {
    const labels = (query['labelSelector'] ?? '').split(',').filter((part) => part !== '')
    const all = [...pods.values()].filter(
      ({ metadata }) =>
        metadata.namespace === namespace &&
        labels.every((part) => metadata.labels[part.split('=')[0] ?? ''] === part.split('=')[1]),
    )
    const start = Number(query['continue'] ?? 0)
    const end = start + Number(query['limit'])
    return {
      metadata: { resourceVersion: String(version), ...(end < all.length && { continue: String(end) }) },
      items: all.slice(start, end),
    }
  }
  const answer = (request: KubeRequest): unknown => {
    const [, namespace = '', kind, name] = PATH.exec(request.path) ?? []
    if (kind === 'events') return events.push(request.body as Readonly<Record<string, unknown>>)
    if (request.method === 'PATCH') return patch(namespace, String(name), request.body as PatchBody)
    return list(namespace, request)
  }
  const api: ApiInMemory = {
    requests,
    get calls() {
      return requests.map(({ method, path }) => `${method} ${path}`)
    },
    events,
    ...{ put, find, annotate },
    remove: (namespace, name) => void pods.delete(`${namespace}/${name}`),
    trouble: () => undefined,
    admit: (annotations) => annotations,
    client: {
      async request(request) {
        requests.push(request)
        await Promise.resolve()
        const error = api.trouble(request)
        if (error !== undefined) throw error
        return structuredClone(answer(request))
      },
      watch: () => {
        throw new Error('nobody watches')
      },
    },
  }
  return api
}
