import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFolder, type Folder } from '../../support/cli/folder.ts'
import { runCommand } from '../../support/cli/run.ts'
import { requirement } from '../../support/requirement.ts'

const run = promisify(execFile)

const has = async (shell: string): Promise<boolean> =>
  await run(shell, ['-c', 'true']).then(
    () => true,
    () => false,
  )

const scriptOf = async (shell: string): Promise<string> => (await runCommand(['completion', shell])).stdout

let folder: Folder
beforeAll(async () => {
  folder = createFolder({ 'with space.yaml': '', 'plain.yaml': '' })
  writeFileSync(join(folder.path, 'script.bash'), await scriptOf('bash'))
  writeFileSync(join(folder.path, 'script.zsh'), await scriptOf('zsh'))
})
afterAll(() => folder[Symbol.dispose]())

/** What the shell would offer with the cursor behind the last word; `=` is a word of its own, as the shell has it. */
async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const script = `source ./script.bash
[[ $(complete -p iops-limit) == *_iops_limit* ]] || exit 1
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _iops_limit
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['--norc', '-euc', script, 'bash', 'iops-limit', ...words], {
    cwd: folder.path,
  })
  return stdout.split('\n').filter((line) => line !== '')
}

describe('bash', () => {
  it.each([
    [['re'], ['review']],
    [[''], ['review', 'test', 'explain', 'migrate', 'certs', 'completion', '--help']],
    [['review', '--out'], ['--output']],
    [
      ['review', '--output', ''],
      ['text', 'json', 'junit', 'sarif', 'github'],
    ],
    [
      ['review', '-o', 'j'],
      ['json', 'junit'],
    ],
    [
      ['review', '--output', '='],
      ['text', 'json', 'junit', 'sarif', 'github'],
    ],
    [['review', '--output', '=', 'sa'], ['sarif']],
    [['review', '--diff', 'pl'], ['plain.yaml']],
    [['review', 'with'], ['with space.yaml']],
    [['review', '--policies', 'pl'], ['plain.yaml']],
    [['migrate', '--wr'], ['--write']],
    [
      ['completion', ''],
      ['bash', 'zsh'],
    ],
    [['explain', '-n', ''], []],
  ])('%j: %j', async (words, expected) => {
    expect(await complete(...words)).toEqual(expected)
  })
})

const zshIsHere = requirement('completion in zsh', (await has('zsh')) ? undefined : 'there is no zsh')

describe.runIf(zshIsHere)('zsh', () => {
  it('takes the script', async () => {
    const { stderr } = await run('zsh', ['-n', join(folder.path, 'script.zsh')])
    expect(stderr).toBe('')
  })

  it('completes by it, at a prompt', async () => {
    // A terminal of its own, in which a person would type: what Tab offers is seen as text.
    const script = `zmodload zsh/zpty
zpty shell zsh -f
zpty -w shell 'PS1=; cd ${folder.path}; autoload -Uz compinit; compinit -D -u; source ./script.zsh; zstyle ":completion:*" list-colors ""; echo REA""DY'
until [[ $seen == *READY* ]]; do zpty -r shell line; seen+=$line; done
zpty -w -n shell $'iops-limit review --output=\\t\\t'
sleep 1
zpty -r shell out '*text*'
zpty -d shell
print -r -- $out`
    const { stdout } = await run('zsh', ['-fc', script], { timeout: 20_000 })
    for (const word of ['text', 'json', 'junit', 'sarif', 'github']) expect(stdout).toContain(word)
  })
})

describe('completion', () => {
  it('is made for two shells', async () => {
    expect(await runCommand(['completion', 'fish'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'iops-limit completion: the shell is bash or zsh: name one\nSee iops-limit completion --help\n',
    })
    expect((await runCommand(['completion', '--help'])).code).toBe(0)
  })
})
