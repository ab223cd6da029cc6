/** Files, directories, patterns and standard input to texts. */
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../../contract/problem.ts'
import type { Fault, SourceFile } from '../manifest/objects.ts'

export interface ReadInputs {
  readonly files: readonly SourceFile[]
  readonly faults: readonly Fault[]
}

/** Told after each file. */
export type OnFile = (done: number, all: number) => void

export const STDIN = '-'

/** Each file once, in the order of the operands; below a directory in the order of the names. */
export async function readInputs(
  operands: readonly string[],
  readStdin: () => Promise<Uint8Array>,
  onFile: OnFile = () => undefined,
): Promise<ReadInputs> {
  const faults: Fault[] = []
  const paths = new Set(operands.flatMap((operand) => listPaths(operand, faults)))
  const files: SourceFile[] = []
  for (const [index, name] of [...paths].entries()) {
    try {
      const bytes = name === STDIN ? await readStdin() : readFileSync(name)
      files.push({ name, text: decode(bytes) })
    } catch (error) {
      faults.push({ file: name, message: describeUnreadable(error) })
    }
    onFile(index + 1, paths.size)
  }
  return { files, faults }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Without the byte order mark. */
const decode = (bytes: Uint8Array): string => decoder.decode(bytes)

function listPaths(operand: string, faults: Fault[]): readonly string[] {
  if (operand === STDIN) return [operand]
  try {
    const stats = statSync(operand, { throwIfNoEntry: false })
    const isPattern = stats === undefined && /[*?[{]/.test(operand)
    if (!isPattern) return stats?.isDirectory() === true ? listDirectory(operand, faults) : [operand]
    const found = globSync(operand).filter((path) => statSync(path).isFile())
    if (found.length === 0) faults.push({ file: operand, message: 'matches no file; name one that is there' })
    return found.sort()
  } catch (error) {
    faults.push({ file: operand, message: describeUnreadable(error) })
    return []
  }
}

const MANIFEST = /\.(?:ya?ml|json)$/

/** Hidden names are passed over: `.git`, `.github`, and the `..data` of a mounted ConfigMap. */
function listDirectory(directory: string, faults: Fault[]): readonly string[] {
  const found = walk(directory)
  if (found.length === 0)
    faults.push({ file: directory, message: 'holds no *.yaml, *.yml or *.json file; name another directory' })
  return found
}

function walk(directory: string): readonly string[] {
  const names = readdirSync(directory)
    .filter((name) => !name.startsWith('.'))
    .sort()
  return names.flatMap((name) => {
    const path = join(directory, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory() === true) return name === 'node_modules' ? [] : walk(path)
    return stats?.isFile() === true && MANIFEST.test(name) ? [path] : []
  })
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; name one that is there',
  EACCES: 'it cannot be read: permission denied; give this process the right to',
  EISDIR: 'it is a directory; name files in it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not text in UTF-8; save it as UTF-8',
  ERR_STRING_TOO_LONG: 'it is longer than 512 MiB; split it',
}

function describeUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return CAUSES[code] ?? `it cannot be read: ${messageOf(error)}; name a file that this process can read`
}
