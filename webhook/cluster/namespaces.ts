/** The cluster's namespaces, as a followed collection tells them. */
import { PREFIX } from '../../contract/keys.ts'
import type { CollectionEvents } from '../../kube/follow.ts'
import type { NamespaceInfo, Namespaces } from '../policy/policy.ts'
import { readMetadata } from './metadata.ts'

export interface NamespaceCache extends CollectionEvents {
  /** One map for good, changed in place: there may be tens of thousands. */
  readonly current: Namespaces
}

/** `onChange` is called where something is another now that decisions go by: a status, or a foreign label, calls nobody. */

export function createNamespaceCache(onChange: () => void): NamespaceCache {
  const current = new Map<string, NamespaceInfo>()
  const put = (item: unknown): boolean => {
    const namespace = readNamespace(item)
    if (namespace.name === '' || isSame(namespace, current.get(namespace.name))) return false
    current.set(namespace.name, namespace)
    return true
  }
  return {
    current,
    listed(items) {
      current.clear()
      items.forEach(put)
      onChange()
    },
    changed(type, item) {
      const isNews = type === 'DELETED' ? current.delete(readMetadata(item).name) : put(item)
      if (isNews) onChange()
    },
  }
}

function isSame({ labels }: NamespaceInfo, before: NamespaceInfo | undefined): boolean {
  if (before === undefined) return false
  const entries = Object.entries(labels)
  return (
    entries.length === Object.keys(before.labels).length &&
    entries.every(([key, value]) => before.labels[key] === value)
  )
}

/** As {@link readNamespace} reads it too, and nothing else of it. */
export const slimNamespace = (object: unknown): object => ({ metadata: readNamespace(object) })

/** Nothing but our own labels is kept: nothing else is asked for, and a namespace costs a few hundred bytes. */
export function readNamespace(object: unknown): NamespaceInfo {
  const { name, labels } = readMetadata(object)
  const own = Object.entries(labels).flatMap(([key, value]) =>
    key.startsWith(PREFIX) && typeof value === 'string' ? [[key, value] as const] : [],
  )
  return { name, labels: own.length === 0 ? NO_LABELS : Object.fromEntries(own) }
}

const NO_LABELS: NamespaceInfo['labels'] = Object.freeze({})
