/** Texts of files to policies and namespaces. The texts come in; nothing here opens a file. */
import { bad, ok, type Problem, type Result } from '../../contract/problem.ts'
import {
  childOf,
  type Field,
  fieldIn,
  readMap,
  readString,
  readStringMap,
  refuse,
  rootField,
} from '../../contract/reader.ts'
import { POLICY_API_VERSION, POLICY_KIND, readPolicy } from './parse.ts'
import type { NamespaceInfo, Namespaces, PolicySet } from './policy.ts'
import { parseDocuments } from './yaml.ts'

/** A file's text, and the name by which problems call it. */
export interface Source {
  readonly name: string
  readonly text: string
}

/** Every policy of every source; if one is wrong, none counts, and every problem of all is told. */
export function loadPolicies(sources: readonly Source[]): Result<PolicySet> {
  const loaded = loadObjects(sources, (field) => {
    const policy = readPolicy(field)
    return policy && { name: policy.name, item: policy }
  })
  if (!loaded.ok || loaded.value.size > 0) return loaded
  return bad({
    field: sources.map(({ name }) => name).join(', '),
    reason: 'holds no policy',
    cure: `write at least one object of apiVersion ${POLICY_API_VERSION}, kind ${POLICY_KIND}`,
  })
}

/** Every Namespace object of every source, as `kubectl get namespaces -o yaml` prints them. */
export function loadNamespaces(sources: readonly Source[]): Result<Namespaces> {
  return loadObjects(sources, (field) => {
    const namespace = readNamespace(field)
    return namespace && { name: namespace.name, item: namespace }
  })
}

function readNamespace(field: Field): NamespaceInfo | undefined {
  const map = readMap(field)
  if (map === undefined) return undefined
  const kind = childOf(field, map, 'kind')
  if (kind.value !== 'Namespace')
    return refuse(kind, 'is not Namespace', 'leave only Namespace objects in this file')
  const metadataField = childOf(field, map, 'metadata')
  const metadata = readMap(metadataField)
  if (metadata === undefined) return undefined
  const name = readString(childOf(metadataField, metadata, 'name'))
  const labels = readStringMap(childOf(metadataField, metadata, 'labels'))
  return name === undefined ? undefined : { name, labels }
}

type Named<T> = { readonly name: string; readonly item: T } | undefined

/** The objects of all sources by name; a name that stands twice is a problem. */
function loadObjects<T>(
  sources: readonly Source[],
  read: (field: Field) => Named<T>,
): Result<ReadonlyMap<string, T>> {
  const problems: Problem[] = []
  const items = new Map<string, T>()
  for (const { place, field } of sources.flatMap(splitSource)) {
    const named = field.problems.length > 0 ? undefined : read(field)
    if (named !== undefined && items.has(named.name)) {
      refuse(
        fieldIn(fieldIn(field, 'metadata', undefined), 'name', named.name),
        'is the name of an earlier object',
        'give each its own name',
      )
    }
    if (named !== undefined) items.set(named.name, named.item)
    problems.push(
      ...field.problems.map((problem) => ({
        ...problem,
        field: [place, problem.field].filter(Boolean).join(': '),
      })),
    )
  }
  return problems.length > 0 ? bad(...problems) : ok(items)
}

interface Placed {
  /** The source's name, with the object's number where the source holds several. */
  readonly place: string
  readonly field: Field
}

/** The objects of all documents, a List's items one by one. Empty documents, as Helm leaves them, are passed over. */
function splitSource({ name, text }: Source): readonly Placed[] {
  const parsed = parseDocuments(text)
  if (!parsed.ok)
    return [{ place: name, field: { ...rootField(undefined, ''), problems: [...parsed.problems] } }]
  const objects = parsed.value.flatMap(itemsOf)
  return objects.map((object, index) => ({
    place: objects.length > 1 ? `${name}#${index + 1}` : name,
    field: rootField(object, ''),
  }))
}

/** A List's items, or the object itself. */
const itemsOf = (value: unknown): readonly unknown[] => (isList(value) ? value.items : [value])

const isList = (value: unknown): value is { readonly items: readonly unknown[] } =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  typeof value.kind === 'string' &&
  value.kind.endsWith('List') &&
  'items' in value &&
  Array.isArray(value.items)
