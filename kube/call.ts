/** Calls as metrics and RBAC name them: few enough words for labels, whatever the names of objects. */
import type { Call } from './client.ts'

export interface Deed {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` */
  readonly verb: string
  /** `namespaces`, `pods/status`; `other` for what is no resource. */
  readonly resource: string
}

/** Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris */
export function findDeed(call: Pick<Call, 'method' | 'path' | 'watches'>): Deed {
  const [resource = 'other', name, part] = findSteps(call.path)
  const verb = findVerb(call, name !== undefined)
  return { verb, resource: part === undefined ? resource : `${resource}/${part}` }
}

function findVerb({ method, watches }: Pick<Call, 'method' | 'watches'>, isOne: boolean): string {
  if (method === 'GET' && watches) return 'watch'
  const [one, many] = VERBS[method] ?? [method.toLowerCase()]
  return isOne ? one : (many ?? one)
}

/** On one object, and on a collection where that is another. */
const VERBS: Readonly<Record<string, readonly [string, string?]>> = {
  GET: ['get', 'list'],
  POST: ['create'],
  PUT: ['update'],
  PATCH: ['patch'],
  DELETE: ['delete', 'deletecollection'],
}

/** Resource, name and subresource; nothing where the path is none of a resource. */
function findSteps(path: string): readonly string[] {
  const steps = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(.+)$/.exec(path)?.[1]?.split('/') ?? []
  const isInNamespace = steps[0] === 'namespaces' && steps.length > 2 && !OF_NAMESPACES.has(steps[2] ?? '')
  return isInNamespace ? steps.slice(2) : steps
}

const OF_NAMESPACES: ReadonlySet<string> = new Set(['status', 'finalize'])
