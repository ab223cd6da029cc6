import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'iops-limit-scripts-'))
afterAll(() => rmSync(folder, { recursive: true }))

// The bundles are those of the sources as they stand now, however the tests were started.
beforeAll(() => expect(run(['scripts/setup.mjs']).code).toBe(0))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

const programs = Object.entries(
  (JSON.parse(readFileSync('package.json', 'utf8')) as { readonly bin: Readonly<Record<string, string>> })
    .bin,
)

describe('set-up', () => {
  test('has nothing to say and nothing to do where all is there', () => {
    const made = ['node_modules/.package-lock.json', ...programs.map(([, path]) => path)]
    const before = made.map((path) => statSync(path).mtimeMs)
    expect(run(['scripts/setup.mjs'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(made.map((path) => statSync(path).mtimeMs)).toEqual(before)
  })
})

describe('the bundles', () => {
  test.each(programs)('%s explains itself', (name, path) => {
    expect(statSync(path).mode & 0o111).toBe(0o111)
    expect(readFileSync(path, 'utf8').split('\n', 1)[0]).toBe('#!/usr/bin/env node')
    const { code, stdout, stderr } = run([resolve(path), '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(name)
  })

  test.each(programs)('%s says which Node it needs', (_, path) => {
    const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})`
    expect(run(['--import', old, path, '--help'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'this program needs Node 24 or later, and this is Node 20.20.2; in a checkout, "npx NAME" runs it on the right one\n',
    })
  })
})

describe('the counting of tests', () => {
  const count = (statuses: readonly string[]): Outcome => {
    const assertionResults = statuses.map((status, index) => ({ status, fullName: `test ${index}` }))
    const report = join(folder, 'report.json')
    writeFileSync(report, JSON.stringify({ testResults: [{ assertionResults }, { assertionResults: [] }] }))
    return run(['scripts/count-tests.mjs', report])
  }

  test('passed and failed', () => {
    expect(count(['passed', 'failed', 'passed'])).toEqual({ code: 0, stdout: '2 1\n', stderr: '' })
  })

  test('one that was skipped has failed, and is named', () => {
    expect(count(['passed', 'skipped', 'todo'])).toEqual({
      code: 0,
      stdout: '1 2\n',
      stderr:
        'skipped: test 1: FAILED, for nothing may be skipped here\nskipped: test 2: FAILED, for nothing may be skipped here\n',
    })
  })

  test('without a report there is nothing to count', () => {
    expect(run(['scripts/count-tests.mjs', join(folder, 'none.json')])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'there is no report: the run ended before its tests\n',
    })
  })
})

describe('the lock of set-up', () => {
  const path = join(folder, 'lock')
  const hold = (milliseconds: number): string =>
    `import { withLock } from '${resolve('scripts/lock.mjs')}'
     await withLock('${path}', () => {
       console.log('in')
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${milliseconds})
       console.log('out')
     })`

  test('lets in one after the other', async () => {
    const said: string[] = []
    await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module', '--eval', hold(100)])
        child.stdout.on('data', (chunk) => said.push(...String(chunk).trim().split('\n')))
        await new Promise((done) => child.on('close', done))
      }),
    )
    expect(said).toEqual(['in', 'out', 'in', 'out', 'in', 'out'])
  })

  test('steps over a holder that died', () => {
    const dead = spawnSync(process.execPath, ['--version']).pid
    writeFileSync(path, String(dead))
    expect(run(['--input-type=module', '--eval', hold(0)])).toEqual({
      code: 0,
      stdout: 'in\nout\n',
      stderr: '',
    })
  })
})
