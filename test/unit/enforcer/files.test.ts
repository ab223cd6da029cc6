import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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
      failures: [{ field: 'pod n/p', cure: 'look at the kernel log' }],
    })
    expect(applied.failures[0]?.reason).toContain(
      `"259:0 riops=5" could not be written to ${folder}/odd: EISDIR`,
    )
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
    expect(await findPodGroups(path.join(folder, 'gone'), new Set(['1']))).toEqual({
      groups: [],
      problems: [],
    })
    const [shallow, deep] = ['a/'.repeat(10), 'b/'.repeat(26)].map((parents) =>
      path.join(folder, parents, 'pod1'),
    ) as [string, string]
    mkdirSync(shallow, { recursive: true })
    mkdirSync(deep, { recursive: true })
    mkdirSync(path.join(shallow, 'f'.repeat(64), 'n/'.repeat(26)), { recursive: true })
    const { groups } = await findPodGroups(folder, new Set(['1']))
    expect(groups.map(({ path: found }) => found)).toEqual([shallow])
    expect(groups[0]?.containers[0]?.paths).toHaveLength(14)
  })

  it("takes for pods what is listed, looks into nobody else's pod, and past names that begin alike", async () => {
    const [mine, other] = ['0a1b2c3d-1111-4222-8333-444455556666', '549ed227c640e90771320b8d5db0b5d0']
    for (const parents of ['pods/kubepods', 'podman.slice/podman-kubepods.slice', `kubepods/pod${other}`])
      mkdirSync(path.join(folder, parents, `pod${mine}`), { recursive: true })
    const { groups } = await findPodGroups(folder, new Set([mine]))
    expect(groups.map(({ path: found }) => path.relative(folder, found))).toEqual([
      `podman.slice/podman-kubepods.slice/pod${mine}`,
      `pods/kubepods/pod${mine}`,
    ])
  })

  it('tells of a directory that cannot be listed', async () => {
    const loop = path.join(folder, 'loop')
    symlinkSync('loop', loop)
    expect(await findPodGroups(loop, new Set(['1']))).toEqual({
      groups: [],
      problems: [
        {
          field: loop,
          reason: expect.stringMatching(/^cannot be listed: ELOOP/) as unknown,
          cure: 'run as root, with the cgroup filesystem mounted',
        },
      ],
    })
  })

  it('has few files open at a time', async () => {
    writeFileSync(path.join(folder, 'io.max'), 'text')
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    const reading = readFiles(
      Array.from({ length: 500 }, (_, index) => `${folder}/${'./'.repeat(index)}io.max`),
    )
    let most = 0
    for (let isDone = false; !isDone; ) {
      isDone = await Promise.race([
        reading.then(() => true),
        new Promise<boolean>((tick) => setImmediate(tick, false)),
      ])
      most = Math.max(most, open() - before)
    }
    expect((await reading).size).toBe(500)
    expect(most).toBeLessThan(20)
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
