/** Manifests that other people wrote: in Go modules that ship them, fetched when a test runs. */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The folder of a module's sources, such as `k8s.io/api@v0.35.4`. Throws what `go mod download` says. */
export async function fetchModule(module: string): Promise<string> {
  const { stdout: tools } = await run('bash', ['test/tools/go.sh'])
  const { stdout } = await run(join(tools.trim(), 'go'), ['mod', 'download', '-json', module], { cwd: '/' })
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir
}

/** Every manifest below a folder, in the order of the names. */
export async function listManifests(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true })
  return names
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}
