/** `iops-limit review` as CI runs it: the bundle, in a process of its own. */
import { execFileSync, spawn } from 'node:child_process'
import { buffer, text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { GOLD, podText, UNDER_GOLD } from '../../support/cli/folder.ts'

const PROGRAM = 'dist/iops-limit.js'

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.mjs', 'iops-limit'])
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function review(stdin: string, argv: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, 'review', ...argv])
  child.stdin.end(stdin)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code, stdout, stderr }
}

const REFUSED = podText('{iops-limit/limit: "9000"}')
const FORMS = [
  ...['text', 'json', 'junit', 'sarif', 'github'].map((form) => ['--output', form]),
  ['--diff'],
  ['--patched'],
]

describe('exit codes of the program, form by form', () => {
  test.each(FORMS)('%s %s', async (...form) => {
    const codes = await Promise.all([
      review(podText(), ['-', ...UNDER_GOLD, ...form]),
      review(REFUSED, ['-', ...UNDER_GOLD, ...form]),
      review(podText(), ['-', ...UNDER_GOLD, ...form, '--fail-on', 'default']),
      review(podText(), ['-', '--policies', GOLD, ...form]),
      review('kind: [', ['-', ...UNDER_GOLD, ...form]),
      review('', ['-', ...UNDER_GOLD, ...form]),
      review('', ['-', ...UNDER_GOLD, ...form, '--allow-empty']),
    ])
    expect(codes.map(({ code }) => code)).toEqual([0, 1, 1, 2, 2, 3, 0])
  })
})

describe('the program', () => {
  test('reads what helm or kustomize print, and prints it as it would be stored', async () => {
    const { code, stdout, stderr } = await review(podText(), ['-', ...UNDER_GOLD, '--patched'])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^defaulted +Pod team\/p, policy gold, rule everything-else -:1\n/)
    const again = await review(stdout, ['-', ...UNDER_GOLD, '--patched'])
    expect(again.stdout).toBe(stdout)
  })

  test('is wrongly called: 2, and says how', async () => {
    const { code, stderr } = await review('', ['--polices', 'x', '-'])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'iops-limit review: unknown option --polices: see --help\nSee iops-limit review --help\n',
    )
  })

  test('ends quietly where nobody reads on', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => podText('{}', `p${index}`)).join('---\n')
    const child = spawn(process.execPath, [PROGRAM, 'review', '-', ...UNDER_GOLD])
    const errors = buffer(child.stderr)
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
    child.stdout.once('data', () => child.stdout.destroy())
    child.stdin.end(many)
    expect(await closed).toBe(0)
    expect(String(await errors)).toBe('')
  })
})
