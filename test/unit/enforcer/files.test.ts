import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyWrites } from '../../../enforcer/apply.ts'
import { THROTTLINGS } from '../../../enforcer/core/throttling.ts'
import { readFiles, writeLine } from '../../../enforcer/node/files.ts'
import { findPodGroups } from '../../../enforcer/node/tree.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'iops-limit-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const writeOf = (file: string) => ({
  pod: 'n/p',
  container: null,
  path: path.join(folder, file),
  value: '259:0 riops=5',
})

describe('writing', () => {
  it('replaces what stood there, and makes no file', async () => {
    writeFileSync(path.join(folder, 'io.max'), 'something longer than the line that comes now\n')
    expect(await writeLine(writeOf('io.max'))).toBe('written')
    expect(readFileSync(path.join(folder, 'io.max'), 'utf8')).toBe('259:0 riops=5')
    expect(await writeLine(writeOf('missing'))).toMatchObject({
      field: 'pod n/p',
      cure: 'enable the io controller for the cgroup above',
    })
    expect(readdirSync(folder)).toEqual(['io.max'])
  })

  it('into a cgroup that has ended is no failure', async () => {
    expect(await writeLine(writeOf('gone/io.max'))).toBe('gone')
  })

  it('goes on after a failure, and tells all', async () => {
    mkdirSync(path.join(folder, 'odd'))
    writeFileSync(path.join(folder, 'io.max'), '')
    const applied = await applyWrites([writeOf('odd'), writeOf('gone/io.max'), writeOf('io.max')])
    expect(applied).toMatchObject({
      written: 1,
      gone: 1,
      failures: [{ value: `259:0 riops=5 > ${folder}/odd`, cure: 'look at the kernel log' }],
    })
    expect(applied.failures[0]?.reason).toMatch(/^failed: EISDIR/)
  })
})

describe('reading', () => {
  it('tells a missing file from a missing directory and from one that cannot be read', async () => {
    mkdirSync(path.join(folder, 'odd'))
    writeFileSync(path.join(folder, 'io.max'), 'text')
    const files = ['io.max', 'missing', 'gone/io.max', 'odd'].map((file) => path.join(folder, file))
    expect([...(await readFiles(files)).values()]).toEqual([
      { text: 'text' },
      'no-file',
      'no-directory',
      { failure: expect.stringMatching(/^EISDIR/) as unknown },
    ])
  })

  it('finds nothing where there is no tree, and goes only so deep', async () => {
    expect(await findPodGroups(path.join(folder, 'gone'), new Set(['1']))).toEqual([])
    const [shallow, deep] = ['a/'.repeat(10), 'b/'.repeat(14)].map((parents) =>
      path.join(folder, parents, 'pod1'),
    ) as [string, string]
    mkdirSync(shallow, { recursive: true })
    mkdirSync(deep, { recursive: true })
    mkdirSync(path.join(shallow, 'f'.repeat(64), 'n/'.repeat(14)), { recursive: true })
    const groups = await findPodGroups(folder, new Set(['1']))
    expect(groups.map(({ path: found }) => found)).toEqual([shallow])
    expect(groups[0]?.containers[0]?.paths).toHaveLength(13)
  })
})

describe('a plan without texts', () => {
  it.each([
    ['v2', [{ file: 'io.max', value: '8:0 rbps=max wbps=max riops=5 wiops=max' }]],
    ['v1', [{ file: 'blkio.throttle.read_iops_device', value: '8:0 5' }]],
  ] as const)('takes the files for empty: %s', (version, writes) => {
    expect(THROTTLINGS[version].plan(new Map(), '8:0', { readIOPS: 5n })).toEqual(writes)
  })
})
