/** The package as `npm pack` makes it, unpacked where nothing of the project is. */
import { execFile, spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
const NODE = process.execPath

let folder: string
let program: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'iops-limit-package-'))
  // The bundles are those of the sources as they stand now.
  await run(NODE, ['scripts/setup.mjs'])
  const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder])
  await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', folder])
  program = join(folder, 'package/dist/iops-limit.js')
}, 60_000)
afterAll(() => rm(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(command: string, ...argv: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(command, argv, { cwd: folder, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

const GOLD = resolve('test/fixtures/policies/gold.yaml')
const POLICY = ['--policies', GOLD, '--namespace-labels', 'iops-limit/enforce=gold']

it('reviews, explains itself, and completes, without anything that was installed', () => {
  const reviewed = start(NODE, program, 'review', '--quiet', GOLD, ...POLICY)
  expect(reviewed.code).toBe(3)
  expect(start(NODE, program, '--help').stdout).toContain('Usage: iops-limit COMMAND')
  expect(start(NODE, program, 'completion', 'bash').stdout).toContain('complete -o filenames')
  expect(start(NODE, program, 'explain', 'p', '--kubeconfig', 'none')).toMatchObject({
    code: 2,
    stdout: '',
  })
})

it('gives the exit code of the review to the shell', async () => {
  const pod = (iops: string): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'team', annotations: { 'iops-limit/read-iops': iops } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  })
  const codes = ['700', '5000'].map(async (iops) => {
    const path = join(folder, `${iops}.json`)
    await writeFile(path, JSON.stringify(pod(iops)))
    return start(NODE, program, 'review', path, ...POLICY).code
  })
  expect(await Promise.all(codes)).toEqual([0, 1])
  expect(start(NODE, program, 'review', 'gone.yaml', ...POLICY).code).toBe(2)
})

it('is started by its name, as npx does it: the file is executable, and says by what', async () => {
  const { bin } = JSON.parse(await readFile(join(folder, 'package/package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>
  }
  expect((await stat(program)).mode & 0o111).toBe(0o111)
  expect(bin['iops-limit']).toBe('dist/iops-limit.js')
  expect((await readFile(program, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true)
})

it("the webhook's image starts them by a word", async () => {
  // As Dockerfile.webhook puts it there.
  const main = join(folder, 'package/dist/main.js')
  await copyFile('scripts/image.mjs', main)
  expect(start(NODE, main, 'review', '--help').stdout).toContain('Usage: iops-limit review')
  expect(start(NODE, main, '--help').stdout).toContain('Usage: iops-limit-webhook')
  expect(start(NODE, main, 'review', GOLD, ...POLICY).code).toBe(3)
})
