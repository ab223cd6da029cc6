/**
 * One namespace by its name: from the cache, or by one direct call where the cache has not seen it, as when a pod is created
 * right behind its namespace.
 */
import { messageOf } from '../../contract/problem.ts'
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import type { NamespaceInfo, Namespaces } from '../policy/policy.ts'
import { readNamespace } from './namespaces.ts'
import { Unavailable } from './unavailable.ts'

/** `fetched` and `absent`: the API server was asked, now or a moment ago. `failed`: it did not say. */
export type LookupResult = 'hit' | 'fetched' | 'absent' | 'failed'

export interface LookupDeps {
  readonly client: KubeClient
  readonly known: Namespaces
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly observe: (result: LookupResult) => void
}

/** Undefined: there is no such namespace. Rejects with {@link Unavailable} where that cannot be told in time. */
export type FindNamespace = (name: string) => NamespaceInfo | undefined | Promise<NamespaceInfo | undefined>

/** Milliseconds: well below the three seconds that the API server gives a review. */
const PATIENCE = 750
/** Seconds: until then the watch has told. */
const KEPT = 1
const MOST_KEPT = 1000

export function createLookup({ client, known, clock, observe }: LookupDeps): FindNamespace {
  const recent = new Map<
    string,
    { readonly asked: Promise<NamespaceInfo | undefined>; readonly until: number }
  >()
  const ask = (name: string): Promise<NamespaceInfo | undefined> => {
    const before = recent.get(name)
    if (before !== undefined && clock() < before.until) return before.asked
    const asked = readLive(client, name)
    // Behind the others, whenever it was there before: the first is the oldest.
    recent.delete(name)
    recent.set(name, { asked, until: clock() + KEPT })
    const [oldest] = recent.keys()
    if (recent.size > MOST_KEPT && oldest !== undefined) recent.delete(oldest)
    return asked
  }
  return (name) => {
    const namespace = known.get(name)
    if (namespace !== undefined || name === '') {
      if (name !== '') observe('hit')
      return namespace
    }
    return ask(name).then(
      (found) => {
        observe(found === undefined ? 'absent' : 'fetched')
        return found
      },
      (error: unknown) => {
        recent.delete(name)
        observe('failed')
        throw error
      },
    )
  }
}

async function readLive(client: KubeClient, name: string): Promise<NamespaceInfo | undefined> {
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(name)}`
    return readNamespace(await client.request({ method: 'GET', path, timeout: PATIENCE }))
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined
    throw new Unavailable(`namespace ${name} could not be read (${messageOf(error)})`, error)
  }
}
