/** `iops-limit review` on files of a folder of its own, which the answers do not name. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Ended, runCommand, type Surroundings } from './run.ts'

export const GOLD = 'test/fixtures/policies/gold.yaml'

/** The policy gold, for every namespace that nothing else tells of. */
export const UNDER_GOLD: readonly string[] = [
  ...['--policies', GOLD],
  ...['--namespace-labels', 'iops-limit/enforce=gold'],
]

export interface Folder extends Disposable {
  readonly path: string
  readonly write: (files: Readonly<Record<string, string | Uint8Array>>) => void
  /** Words that begin with `./` name files of the folder; in what comes back too. */
  readonly run: (argv: readonly string[], surroundings?: Surroundings) => Promise<Ended>
}

export function createFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), 'iops-limit-review-'))
  const write: Folder['write'] = (given) => {
    for (const [name, text] of Object.entries(given)) {
      mkdirSync(dirname(join(path, name)), { recursive: true })
      writeFileSync(join(path, name), text)
    }
  }
  write(files)
  const relate = (text: string): string => text.replaceAll(`${path}/`, './').replaceAll(path, '.')
  return {
    path,
    write,
    async run(argv, surroundings) {
      const words = argv.map((word) => word.replaceAll(/(?<![^,])\.(?=\/|$)/g, path))
      const { code, stdout, stderr } = await runCommand(words, surroundings)
      return { code, stdout: relate(stdout), stderr: relate(stderr) }
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  }
}

/** One text, under the policy gold. */
export async function reviewText(
  text: string | Uint8Array,
  argv: readonly string[] = [],
  surroundings: Surroundings = {},
): Promise<Ended> {
  return await runCommand(['review', '-', ...UNDER_GOLD, ...argv], { ...surroundings, stdin: text })
}

/** A pod in YAML, whose annotations are written so. */
export const podText = (annotations = '{}', name = 'p'): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: team
  annotations: ${annotations}
spec:
  containers: [{name: main, image: web}]
`
