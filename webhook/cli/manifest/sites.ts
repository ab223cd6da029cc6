/** The pods that an object makes, and where in it they stand. */
import { findPodKind, type PodKind } from '../../admission/workload.ts'
import type { ManifestObject } from './objects.ts'
import { type Path, parsePath, valueAt } from './path.ts'

export interface PodSite {
  readonly object: ManifestObject
  /** From the object to the pod or the template; empty where the object is the pod. */
  readonly path: Path
}

/** Where the pods of a kind stand that nobody here knows. */
export interface ExtraTemplate {
  /** `Rollout`; absent: every kind that is not known. */
  readonly kind?: string
  /** `argoproj.io`; absent: every group. */
  readonly group?: string
  /** Keys and indexes; `*` is every item of a list. */
  readonly path: Path
}

/** `spec.template`, `Rollout=spec.template`, `Job.batch.volcano.sh=spec.tasks[*].template`; undefined where it is none of these. */
export function parseExtraTemplate(text: string): ExtraTemplate | undefined {
  const [, kind, group, where = ''] =
    /^(?:([A-Za-z]\w*)(?:\.([a-z\d.-]+))?=)?([\w-]+(?:\.[\w-]+|\[(?:\d+|\*)\])*)$/.exec(text) ?? []
  if (where === '') return undefined
  const path = where.split(/(\[\*\])/).flatMap((part) => (part === '[*]' ? ['*'] : parsePath(part)))
  return { path, ...(kind !== undefined && { kind }), ...(group !== undefined && { group }) }
}

/** Empty for an object that makes no pods. */
export function findSites(object: ManifestObject, extra: readonly ExtraTemplate[]): readonly PodSite[] {
  const known = findPodKind(object.value)
  if (known !== undefined) return isPresent(object, known.path) ? [{ object, path: known.path }] : []
  return extra
    .filter((template) => isMeant(template, object))
    .flatMap(({ path }) => expand(object.value, path))
    .filter((path) => isPresent(object, path))
    .map((path) => ({ object, path }))
}

const isPresent = ({ value }: ManifestObject, path: PodKind['path'] | Path): boolean => {
  const found = valueAt(value, path)
  return typeof found === 'object' && found !== null
}

function isMeant({ kind, group }: ExtraTemplate, { value }: ManifestObject): boolean {
  const version = typeof value['apiVersion'] === 'string' ? value['apiVersion'] : ''
  const ownGroup = version.includes('/') ? version.slice(0, version.indexOf('/')) : ''
  return (kind === undefined || kind === value['kind']) && (group === undefined || group === ownGroup)
}

function expand(root: unknown, path: Path): readonly Path[] {
  const star = path.indexOf('*')
  if (star < 0) return [path]
  const list = valueAt(root, path.slice(0, star))
  if (!Array.isArray(list)) return []
  return list.flatMap((_, index) => expand(root, [...path.slice(0, star), index, ...path.slice(star + 1)]))
}
