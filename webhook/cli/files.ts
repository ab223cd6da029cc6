import type { Stats } from 'node:fs'
import { lstat, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface OutputFile {
  readonly name: string
  readonly text: string
  readonly mode: number
}

/** Which of the names stand in the directory, as anything at all. */
export async function findPresent(directory: string, names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => readStats(join(directory, name))))
  return names.filter((_, index) => found[index] !== undefined)
}

/** All files or none: written aside, then moved into place; where one move fails, what stood there before returns. */
export async function replaceFiles(directory: string, files: readonly OutputFile[]): Promise<void> {
  await mkdir(directory, { recursive: true })
  const aside = await mkdtemp(join(directory, '.new-'))
  try {
    for (const { name, text, mode } of files) {
      await writeFile(join(aside, name), text, { mode, flag: 'wx', flush: true })
    }
    await moveAll(
      files.map(({ name }) => name),
      { aside, directory },
    )
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

interface Move {
  readonly aside: string
  readonly directory: string
}

async function moveAll([name, ...rest]: readonly string[], move: Move): Promise<void> {
  if (name === undefined) return
  const place = join(move.directory, name)
  const old = join(move.aside, `old-${name}`)
  const stats = await readStats(place)
  if (stats?.isDirectory()) throw new Error(`${place} is a directory: it is not replaced`)
  if (stats !== undefined) await rename(place, old)
  try {
    await rename(join(move.aside, name), place)
    await moveAll(rest, move)
  } catch (error) {
    await rm(place, { force: true })
    if (stats !== undefined) await rename(old, place)
    throw error
  }
}

async function readStats(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
