/** Keys and indexes from a document's root to a place in it. */
export type Path = readonly (string | number)[]

/** As problems write paths: `spec.tasks[0].metadata.annotations["iops-limit/limit"]`. */
export function parsePath(text: string): Path {
  return [...text.matchAll(STEP)].map(([, key, index, quoted]) => {
    if (index !== undefined) return Number(index)
    return quoted === undefined ? (key ?? '') : unquote(quoted)
  })
}

const STEP = /([\w-]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g

const unquote = (quoted: string): string => String(JSON.parse(quoted))

export const formatPath = (path: Path): string =>
  path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`
      return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    })
    .join('')
    .replace(/^\./, '')

/** What stands at the path; undefined where nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}
