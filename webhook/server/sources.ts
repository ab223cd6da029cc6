/** Files and directories to texts. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bad, ok, type Problem, type Result } from '../../contract/problem.ts'
import type { Source } from '../policy/load.ts'
import type { ReadFiles } from './follow.ts'

/** The text of each file, or of none where one cannot be read: they make sense together only. */
export async function readFiles(paths: readonly string[]): Promise<ReadFiles> {
  const { values, problems } = gather(await Promise.all(paths.map(readSource)))
  return { sources: problems.length > 0 ? [] : values, problems }
}

/**
 * The text of each file that can be read; a directory stands for its `*.yaml`, `*.yml` and `*.json` files, in the order of their
 * names.
 */
export async function readFilesOrDirectories(paths: readonly string[]): Promise<ReadFiles> {
  const found = gather(await Promise.all(paths.map(listFiles)))
  const read = gather(await Promise.all(found.values.flat().map(readSource)))
  return { sources: read.values, problems: [...found.problems, ...read.problems] }
}

const gather = <T>(
  results: readonly Result<T>[],
): { readonly values: readonly T[]; readonly problems: readonly Problem[] } => ({
  values: results.flatMap((result) => (result.ok ? [result.value] : [])),
  problems: results.flatMap((result) => (result.ok ? [] : result.problems)),
})

async function readSource(path: string): Promise<Result<Source>> {
  try {
    return ok({ name: path, text: await readFile(path, 'utf8') })
  } catch (error) {
    return bad(describeUnreadable(path, error))
  }
}

const CONFIGURATION = /^[^.].*\.(ya?ml|json)$/

/** Kubernetes mounts a ConfigMap as links beside hidden directories (`..data`): hidden names are passed over, links are not. */
async function listFiles(path: string): Promise<Result<readonly string[]>> {
  try {
    const names = (await readdir(path)).filter((name) => CONFIGURATION.test(name)).sort()
    return names.length > 0 ? ok(names.map((name) => join(path, name))) : bad(describeEmpty(path))
  } catch (error) {
    return isCode(error, 'ENOTDIR') ? ok([path]) : bad(describeUnreadable(path, error))
  }
}

const describeEmpty = (path: string): Problem => ({
  field: path,
  reason: 'holds no *.yaml, *.yml or *.json file',
  cure: 'put one there, or name another',
})

function describeUnreadable(path: string, error: unknown): Problem {
  const known = Object.entries(CAUSES).find(([code]) => isCode(error, code))
  const reason = known?.[1] ?? (error instanceof Error ? error.message : String(error))
  return { field: path, reason: `cannot be read: ${reason}`, cure: 'name a file that this process can read' }
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
