import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyWrites } from '../../../enforcer/apply.ts'
import { THROTTLINGS } from '../../../enforcer/core/throttling.ts'
import { readFiles, writeLine } from '../../../enforcer/node/files.ts'
import { findPodFolders, readOldest, readPodGroup } from '../../../enforcer/node/tree.ts'

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
  it('replaces what stood there, and makes no file', () => {
    writeFileSync(path.join(folder, 'io.max'), 'something longer than the line that comes now\n')
    expect(writeLine(writeOf('io.max'))).toBe('written')
    expect(readFileSync(path.join(folder, 'io.max'), 'utf8')).toBe('259:0 riops=5')
    expect(writeLine(writeOf('missing'))).toMatchObject({
      field: 'pod n/p',
      cure: 'enable the io controller for the cgroup above',
    })
    expect(readdirSync(folder)).toEqual(['io.max'])
  })

  it('into a cgroup that has ended is no failure', () => {
    expect(writeLine(writeOf('gone/io.max'))).toBe('gone')
  })

  it('goes on after a failure, and tells all', () => {
    mkdirSync(path.join(folder, 'odd'))
    writeFileSync(path.join(folder, 'io.max'), '')
    const applied = applyWrites([writeOf('odd'), writeOf('gone/io.max'), writeOf('io.max')])
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
  it('tells a missing file from a missing directory and from one that cannot be read', () => {
    mkdirSync(path.join(folder, 'odd'))
    writeFileSync(path.join(folder, 'io.max'), 'text')
    const files = ['io.max', 'missing', 'gone/io.max', 'odd'].map((file) => path.join(folder, file))
    expect([...readFiles(files).values()]).toEqual([
      { text: 'text' },
      'no-file',
      'no-directory',
      { failure: expect.stringMatching(/^EISDIR/) as unknown },
    ])
  })

  it('names the file that keeps io.max away, the topmost where there are several', () => {
    const pod = path.join(folder, 'kubepods/pod1')
    mkdirSync(pod, { recursive: true })
    const control = (below: string, text: string) =>
      writeFileSync(path.join(folder, below, 'cgroup.subtree_control'), text)
    const state = () => [...readFiles([`${pod}/io.max`]).values()][0]
    expect(state()).toBe('no-file')
    control('kubepods', 'cpu memory\n')
    control('', 'cpu io memory\n')
    expect(state()).toEqual({ disabledBy: `${folder}/kubepods/cgroup.subtree_control` })
    control('', 'cpu\n')
    expect(state()).toEqual({ disabledBy: `${folder}/cgroup.subtree_control` })
    control('', 'io\n')
    control('kubepods', 'io\n')
    expect(state()).toBe('no-file')
  })

  const pathsOf = (root: string, ...uids: readonly string[]) => {
    const { folders } = findPodFolders(root, new Set(uids))
    return uids.flatMap((uid) => folders.get(uid) ?? [])
  }

  it('finds nothing where there is no tree, and goes only so deep', () => {
    expect(findPodFolders(path.join(folder, 'gone'), new Set(['1']))).toEqual({
      folders: new Map(),
      parents: new Set([path.join(folder, 'gone')]),
      problems: [],
    })
    const [shallow, deep] = ['a/'.repeat(10), 'b/'.repeat(26)].map((parents) =>
      path.join(folder, parents, 'pod1'),
    ) as [string, string]
    mkdirSync(shallow, { recursive: true })
    mkdirSync(deep, { recursive: true })
    mkdirSync(path.join(shallow, 'f'.repeat(64), 'n/'.repeat(40)), { recursive: true })
    expect(pathsOf(folder, '1')).toEqual([shallow])
    expect(readPodGroup('1', shallow, 'v1').groups[0]?.containers[0]?.paths).toHaveLength(25)
  })

  it("takes for pods what is listed, looks into nobody else's pod, and past names that begin alike", () => {
    const [mine, other] = ['0a1b2c3d-1111-4222-8333-444455556666', '549ed227c640e90771320b8d5db0b5d0']
    for (const parents of ['pods/kubepods', 'podman.slice/podman-kubepods.slice', `kubepods/pod${other}`])
      mkdirSync(path.join(folder, parents, `pod${mine}`), { recursive: true })
    expect(pathsOf(folder, mine).map((found) => path.relative(folder, found))).toEqual([
      `podman.slice/podman-kubepods.slice/pod${mine}`,
      `pods/kubepods/pod${mine}`,
    ])
  })

  it('tells of a directory that cannot be listed', () => {
    const loop = path.join(folder, 'loop')
    symlinkSync('loop', loop)
    expect(findPodFolders(loop, new Set(['1'])).problems).toEqual([
      {
        field: loop,
        reason: expect.stringMatching(/^cannot be listed: ELOOP/) as unknown,
        cure: 'run as root, with the cgroup filesystem mounted',
      },
    ])
  })

  it('names where pods appear, and the oldest of their containers', () => {
    const slices = 'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice'
    mkdirSync(path.join(folder, slices), { recursive: true })
    mkdirSync(path.join(folder, 'system.slice/x.service'), { recursive: true })
    expect(
      [...findPodFolders(folder, new Set()).parents].map((parent) => path.relative(folder, parent)),
    ).toEqual(['', 'kubelet.slice/kubelet-kubepods.slice', 'kubelet.slice', slices])
    const pod = path.join(folder, 'kubepods/pod1')
    const findOldest = () => readPodGroup('1', pod, 'v2').groups.map(readOldest)[0]?.oldest
    expect(findOldest()).toBeUndefined()
    for (const letter of 'cab') mkdirSync(path.join(pod, letter.repeat(64)), { recursive: true })
    const inode = (letter: string) => statSync(path.join(pod, letter.repeat(64))).ino
    const oldest = ['a', 'b', 'c'].toSorted((one, other) => inode(one) - inode(other))[0] ?? ''
    expect(findOldest()).toBe(oldest.repeat(64))
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
