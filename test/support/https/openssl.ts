import { spawnSync } from 'node:child_process'

export interface Run {
  readonly code: number | null
  /** Both streams. */
  readonly output: string
}

/** Runs the machine's own openssl; undefined where there is none. */
export function runOpenssl(...args: readonly string[]): Run | undefined {
  const { error, status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8', input: '' })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined
  return { code: status, output: `${stdout}${stderr}` }
}
