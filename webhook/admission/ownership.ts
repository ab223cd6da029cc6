/**
 * Who set an annotation, by the API server's own books (metadata.managedFields). What admission sets is in nobody's name:
 * the books are made before webhooks are called (k8s.io/apiserver/pkg/endpoints/handlers/create.go, update.go).
 */
import { DEFAULTED_KEY } from '../../contract/keys.ts'
import { childOf, type Field, readList, readMap, readString, rootField } from '../../contract/reader.ts'

/** The name under which the back-fill writes: what it sets is admission's. */
export const BACKFILL_MANAGER = 'iops-limit-backfill'

/**
 * Keys of annotations that somebody has set on their own, after the list of defaults was written: edits, even where the list
 * still names them because no webhook answered then. Who sets the list too has copied an admitted pod.
 * Lenient: books that cannot be read say nothing.
 */
export function findEdited(managedFields: unknown): ReadonlySet<string> {
  const entries = (readList(rootField(managedFields, '')) ?? []).map(readEntry)
  const hasList = ({ keys }: Entry): boolean => keys.includes(DEFAULTED_KEY)
  // Texts of the same form (RFC 3339, UTC, whole seconds): they compare as times do.
  const listed = entries
    .filter(hasList)
    .map(({ time }) => time)
    .reduce((a, b) => (a > b ? a : b), '')
  const edits = entries.filter(
    (entry) => entry.manager !== BACKFILL_MANAGER && !hasList(entry) && entry.time > listed,
  )
  return new Set(edits.flatMap(({ keys }) => keys))
}

interface Entry {
  readonly manager: unknown
  /** When this manager last set something. */
  readonly time: string
  readonly keys: readonly string[]
}

/** FieldsV1: a map of `f:` and the name, level by level. Source: k8s.io/apimachinery/pkg/apis/meta/v1/types.go. */
function readEntry(entry: Field): Entry {
  const map = readMap(entry) ?? {}
  let field = childOf(entry, map, 'fieldsV1')
  for (const step of ['f:metadata', 'f:annotations']) field = childOf(field, readMap(field) ?? {}, step)
  const keys = Object.keys(readMap(field) ?? {}).flatMap((key) =>
    key.startsWith('f:') ? [key.slice(2)] : [],
  )
  return { manager: map['manager'], time: readString(childOf(entry, map, 'time')) ?? '', keys }
}
