import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRecordedNode, type GrowingNode, markedPods } from '../../support/kernel/recordedNode.ts'
import { writePods } from '../../support/kernel/runEnforcer.ts'

const MAIN = new URL('../../../enforcer/main.ts', import.meta.url).pathname

describe('the program as a process', () => {
  let node: GrowingNode
  let children: ChildProcess[]

  beforeEach(() => {
    node = createRecordedNode()
    children = []
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    node.dispose()
  })

  function start(...argv: readonly string[]) {
    const child = spawn(
      process.execPath,
      [MAIN, '--pods-file', writePods(node.folder, markedPods()), ...argv],
      {
        env: { PATH: process.env['PATH'], ...node.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    children.push(child)
    const ended = new Promise<readonly [number | null, string | null]>((resolve) =>
      child.once('exit', (code, signal) => resolve([code, signal])),
    )
    return { child, out: text(child.stdout), error: text(child.stderr), ended }
  }

  const caps = () =>
    readFileSync(
      node.cgroup(
        'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod549ed227c640e90771320b8d5db0b5d0.slice/io.max',
      ),
      'utf8',
    )

  it('prints a plan and nothing else to standard output', async () => {
    const { out, error, ended } = start('--plan')
    expect(await ended).toEqual([0, null])
    expect(
      (await out)
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual(Array(4).fill(['pod', 'container', 'path', 'value']))
    expect([await error, caps()]).toEqual(['', ''])
  })

  it('makes one pass, and tells of it on standard error', async () => {
    const { out, error, ended } = start('--once')
    expect(await ended).toEqual([0, null])
    expect(await out).toBe('')
    expect(JSON.parse(await error)).toMatchObject({ msg: 'pass', pods: 5, limited: 4, written: 4, failed: 0 })
    expect(caps()).toBe('259:0 rbps=max wbps=max riops=700 wiops=700')
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('goes on until %s, and ends well at once', async (signal) => {
    const { child, error, ended } = start('--check-interval', '1h')
    await expect.poll(caps, { timeout: 10_000 }).not.toBe('')
    const before = Date.now()
    child.kill(signal)
    expect(await ended).toEqual([0, null])
    expect(Date.now() - before).toBeLessThan(5_000)
    expect(await error).toContain('"written":4')
  })

  it('ends with 2 where it cannot run, in words', async () => {
    const { out, error, ended } = start('--once', '--data-mount', '/nowhere')
    expect(await ended).toEqual([2, null])
    expect(await out).toBe('')
    expect(JSON.parse(await error)).toMatchObject({
      msg: 'DATA_MOUNT /nowhere: is not a mount point; it lies on / (/dev/vda); name the mount point of the disk to limit, or mount the disk there',
    })
  })
})
