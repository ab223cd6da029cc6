import { describe, expect, test } from 'vitest'
import { podText, reviewText, UNDER_GOLD } from '../../../support/cli/folder.ts'
import { runCommand } from '../../../support/cli/run.ts'

const ALLOWED = podText('{iops-limit/limit: "400"}')
const DEFAULTED = podText()
const WARNED = podText('{iops-limit/limit: "400", nvme-iops: "300"}')
const REFUSED = podText('{iops-limit/limit: "9000"}')
const BROKEN = 'kind: [\n'
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\n'
const NOT_IN = `${REFUSED}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n`

const CASES: readonly (readonly [name: string, code: number, text: string, argv: readonly string[]])[] = [
  ['allowed', 0, ALLOWED, []],
  ['defaulted', 0, DEFAULTED, []],
  ['defaulted, to fail on warnings', 0, DEFAULTED, ['--fail-on', 'warn']],
  ['defaulted, to fail on defaults', 1, DEFAULTED, ['--fail-on', 'default']],
  ['warned', 0, WARNED, []],
  ['warned, to fail on defaults', 0, WARNED, ['--fail-on', 'default']],
  ['warned, to fail on warnings', 1, WARNED, ['--fail-on', 'warn']],
  ['warned, to fail on both', 1, WARNED, ['--fail-on', 'default,warn']],
  ['allowed, to fail on both', 0, ALLOWED, ['--fail-on', 'default', '--fail-on', 'warn']],
  ['refused', 1, REFUSED, []],
  ['refused among others', 1, `${ALLOWED}---\n${REFUSED}---\n${WARNED}`, []],
  ['not readable', 2, BROKEN, []],
  ['not readable beside refused', 2, `${REFUSED}---\n${BROKEN}`, ['--allow-empty']],
  ['no pod', 3, SERVICE, []],
  ['no pod, which may be', 0, SERVICE, ['--allow-empty']],
  ['nothing', 3, '', []],
  ['no namespace that opted in', 3, NOT_IN, []],
  ['no namespace that opted in, which may be', 0, NOT_IN, ['--allow-empty']],
]
const FORMS = [
  ...['text', 'json', 'junit', 'sarif', 'github'].map((form) => ['--output', form]),
  ...[['--diff'], ['--patched'], ['--quiet'], ['--verbose']],
]

describe('exit codes are the same for every form', () => {
  test.each(CASES)('%s: %i', async (_, code, text, argv) => {
    const ended = await Promise.all(FORMS.map((form) => reviewText(text, [...argv, ...form])))
    expect(ended.map((each) => each.code)).toEqual(FORMS.map(() => code))
  })

  test('an unknown namespace: 2, and 0 where it is allowed', async () => {
    const argv = ['review', '-', ...UNDER_GOLD.slice(0, 2)]
    for (const form of FORMS) {
      expect((await runCommand([...argv, ...form], { stdin: REFUSED })).code).toBe(2)
      const allowed = await runCommand([...argv, ...form, '--unknown-namespace', 'allow'], { stdin: REFUSED })
      expect(allowed.code).toBe(0)
    }
  })

  test('--quiet tells only what makes it other than 0', async () => {
    const text = `${ALLOWED}---\n${REFUSED.replace('name: p', 'name: bad')}---\n${WARNED}`
    const { stdout } = await reviewText(text, ['-q'])
    expect(stdout).toMatch(/^refused +Pod team\/bad, .*\n {2}refused: .*\n$/)
    expect(await reviewText(ALLOWED, ['-q'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await reviewText(WARNED, ['-q', '--fail-on', 'warn'])).stdout).toMatch(/^warned +Pod team\/p,/)
  })

  test('--verbose tells of audit annotations', async () => {
    const { stdout } = await reviewText(DEFAULTED, ['-v'])
    expect(stdout).toContain(
      '  audit policy: gold/everything-else\n  audit defaulted: read-iops=500, write-iops=500\n',
    )
  })
})
