/** What an image starts its program with, so that what is measured is what is shipped. */
import { readFileSync } from 'node:fs'

export type Dockerfile = 'Dockerfile.webhook' | 'Dockerfile.enforcer'

/** What stands between node and the program in its ENTRYPOINT. */
export function readFlags(dockerfile: Dockerfile): readonly string[] {
  const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(read(dockerfile)) ?? []
  return (JSON.parse(entrypoint) as string[]).slice(1, -1)
}

/** Its settings of the C library's memory. */
export function readEnv(dockerfile: Dockerfile): Readonly<Record<string, string>> {
  const found = read(dockerfile).matchAll(/^(?:ENV| {3}) (MALLOC_\w+)=([^\s\\]+)/gm)
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]))
}

const read = (dockerfile: Dockerfile): string =>
  readFileSync(new URL(`../${dockerfile}`, import.meta.url), 'utf8')
