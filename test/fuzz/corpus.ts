/** Texts that once reached what nothing before them had, kept by parser: where every later run begins. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const fileOf = (name: string): URL =>
  new URL(`../fixtures/corpus/${name.replaceAll(' ', '-')}.json`, import.meta.url)

export const readCorpus = (name: string): readonly string[] =>
  existsSync(fileOf(name)) ? (JSON.parse(readFileSync(fileOf(name), 'utf8')) as string[]) : []

export function writeCorpus(name: string, texts: readonly string[]): void {
  if (texts.length === 0) return
  writeFileSync(fileOf(name), `${JSON.stringify([...new Set(texts)].sort(), null, 1)}\n`)
}
