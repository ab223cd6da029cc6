/** A value that comes from files and follows them. */
import { isDeepStrictEqual } from 'node:util'
import { bad, ok, type Problem, type Result } from '../../contract/problem.ts'
import type { Source } from '../policy/load.ts'

/** What could be read, in order, and what could not. */
export interface ReadFiles {
  readonly sources: readonly Source[]
  readonly problems: readonly Problem[]
}

export interface FileSet<T> {
  readonly read: () => Promise<ReadFiles>
  readonly parse: (sources: readonly Source[]) => Result<T>
}

export interface Followed<T> {
  /** In force. */
  readonly current: T
  /**
   * Reads the files again. A new content that parses comes into force; one that does not is told once, and what is in force stays.
   * Contents are compared and not times or inodes: Kubernetes swaps links, and a half-written file is but a content among others.
   */
  check(notice: Notice<T>): Promise<void>
}

export interface Notice<T> {
  readonly loaded: (value: T) => void
  readonly refused: (problems: readonly Problem[]) => void
}

export async function openFiles<T>({ read, parse }: FileSet<T>): Promise<Result<Followed<T>>> {
  let seen = await read()
  const first = parseRead(seen, parse)
  if (!first.ok) return first
  let current = first.value
  return ok({
    get current() {
      return current
    },
    async check({ loaded, refused }) {
      const found = await read()
      if (isDeepStrictEqual(found, seen)) return
      seen = found
      const next = parseRead(found, parse)
      if (!next.ok) return refused(next.problems)
      current = next.value
      loaded(current)
    },
  })
}

/** A file that cannot be read is told beside what is wrong with the others. */
function parseRead<T>({ sources, problems }: ReadFiles, parse: FileSet<T>['parse']): Result<T> {
  if (problems.length === 0) return parse(sources)
  const others = sources.length > 0 ? parse(sources) : undefined
  return bad(...problems, ...(others === undefined || others.ok ? [] : others.problems))
}
