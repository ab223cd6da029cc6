/** What the caches need to know of any object. The API server has checked it: what is missing counts as empty. */
import { childOf, readMap, rootField } from '../../contract/reader.ts'

export interface Metadata {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Counts changes of the spec; 0 where the object has none. */
  readonly generation: number
  readonly labels: Readonly<Record<string, unknown>>
}

export function readMetadata(object: unknown): Metadata {
  const root = rootField(object, '')
  const metadata = childOf(root, readMap(root) ?? {}, 'metadata')
  const map = readMap(metadata) ?? {}
  const text = (key: string): string => {
    const { value } = childOf(metadata, map, key)
    return typeof value === 'string' ? value : ''
  }
  const { value: generation } = childOf(metadata, map, 'generation')
  return {
    name: text('name'),
    uid: text('uid'),
    resourceVersion: text('resourceVersion'),
    generation: typeof generation === 'number' ? generation : 0,
    labels: readMap(childOf(metadata, map, 'labels')) ?? {},
  }
}
