import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeLine } from '../../../enforcer/node/files.ts'
import {
  createLoopDisk,
  createPodGroups,
  findObstacle,
  type Load,
  type LoopDisk,
  measure,
  type PodGroups,
} from '../../support/kernel/kernel.ts'
import { requirement } from '../../support/requirement.ts'

const UID = '0a1b2c3d-1111-4222-8333-444455556666'
const ID = 'a'.repeat(64)
const MAIN = new URL('../../../enforcer/main.ts', import.meta.url).pathname

describe.runIf(requirement('real throttling by cgroup v1', findObstacle()))('a real kernel', () => {
  let disk: LoopDisk
  let groups: PodGroups
  let folder: string
  const made: Disposable[] = []

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'iops-limit-kernel-'))
    made.push({ [Symbol.dispose]: () => rmSync(folder, { recursive: true }) })
    made.push((disk = createLoopDisk()))
    made.push((groups = createPodGroups([[UID, ID]])))
  })

  afterAll(() => {
    for (const thing of made.toReversed()) thing[Symbol.dispose]()
  })

  /** Where the pod with these annotations is listed. */
  function writePod(annotations: Record<string, string>): string {
    const pod = {
      metadata: {
        namespace: 'team',
        name: 'db',
        uid: UID,
        annotations: { 'iops-limit/policy': 'gold/databases', ...annotations },
      },
      status: { containerStatuses: [{ name: 'pg', containerID: `containerd://${ID}` }] },
    }
    const pods = path.join(folder, 'pods.json')
    writeFileSync(pods, JSON.stringify({ kind: 'PodList', items: [pod] }))
    return pods
  }

  /** One pass of the real program on the pod with these annotations; its standard output. */
  async function enforce(annotations: Record<string, string>, ...flags: readonly string[]): Promise<string> {
    const pods = writePod(annotations)
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [MAIN, '--pods-file', pods, ...(flags.length > 0 ? flags : ['--once'])],
      {
        env: { ...process.env, DATA_MOUNT: disk.mount },
      },
    )
    return stdout
  }

  const load = async (given: Load) => await measure(groups.container(UID, ID), disk, given)

  it.each([
    ['reads', 'read', { 'iops-limit/read-iops': '300' }, 300],
    ['writes', 'write', { 'iops-limit/limit': '250' }, 250],
    ['bytes read', 'read', { 'iops-limit/read-bps': '1Mi' }, 256],
    ['bytes written', 'write', { 'container.iops-limit/pg': 'write-bps=1Mi' }, 256],
  ] as const)(
    'holds %s to the limit within 15 percent, and lets go when it is removed',
    async (_, direction, annotations, limit) => {
      await enforce({})
      const free = await load({ direction, count: 4000 })
      await enforce(annotations)
      const capped = await load({ direction, count: limit * 3 })
      await enforce({})
      const freed = await load({ direction, count: 4000 })
      console.log(
        `${direction} ${JSON.stringify(annotations)}: free ${free.iops.toFixed(0)}, capped ${capped.iops.toFixed(0)} (limit ${limit}), freed ${freed.iops.toFixed(0)} IOPS`,
      )
      expect(capped.seconds).toBeGreaterThan(2)
      expect(capped.iops / limit).toBeGreaterThan(0.85)
      expect(capped.iops / limit).toBeLessThan(1.15)
      expect(Math.min(free.iops, freed.iops)).toBeGreaterThan(limit * 5)
    },
  )

  const start = (): ChildProcess =>
    spawn(process.execPath, [MAIN, '--pods-file', writePod({}), '--check-interval', '100ms'], {
      env: { ...process.env, DATA_MOUNT: disk.mount, METRICS_PORT: '0' },
      stdio: 'ignore',
    })

  it('leaves nothing stale when it is killed at any moment, and nothing of others touched', async () => {
    using other = createLoopDisk()
    const container = groups.container(UID, ID)
    const nested = path.join(container, 'nested')
    const read = (group: string): string =>
      readFileSync(path.join(group, 'blkio.throttle.read_iops_device'), 'utf8')
    const lines = async (group: string, expected: readonly string[]): Promise<void> =>
      await expect
        .poll(() => read(group).split('\n').filter(Boolean).toSorted(), { timeout: 10_000 })
        .toEqual(expected.toSorted())
    const foreign = `${other.device} 4321`
    const file = path.join(container, 'blkio.throttle.read_iops_device')
    writeFileSync(file, foreign)
    for (const [index, delay] of [0, 20, 100].entries()) {
      const child = start()
      try {
        writePod({ 'iops-limit/read-iops': String(500 + index) })
        await lines(container, [foreign, `${disk.device} ${500 + index}`])
        if (index === 0) mkdirSync(nested)
        await lines(nested, [`${disk.device} ${500 + index}`])
        writePod({ 'iops-limit/read-iops': '700' })
        await new Promise((resolve) => setTimeout(resolve, delay))
      } finally {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
    const last = start()
    await lines(container, [foreign])
    await lines(nested, [])
    last.kill('SIGTERM')
    expect(await once(last, 'exit')).toEqual([0, null])
    rmdirSync(nested)
    writeFileSync(file, `${other.device} 0`)
  })

  it('stays clean after runs that were killed', async () => {
    const module = JSON.stringify(new URL('../../support/kernel/kernel.ts', import.meta.url).href)
    const script = `import { createLoopDisk, createPodGroups } from ${module}
      const disk = createLoopDisk()
      console.log(disk.mount, createPodGroups([['u', 'i']]).container('u', 'i'))
      process.kill(process.pid, 'SIGKILL')`
    const killed = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    const { stdout } = await killed.catch((error: unknown) => error as { readonly stdout: string })
    const [mount = '', group = ''] = stdout.trim().split(' ')
    const isThere = () => [
      existsSync(path.dirname(mount)),
      readFileSync('/proc/self/mountinfo', 'utf8').includes(mount),
      existsSync(group),
    ]
    expect(isThere()).toEqual([true, true, true])
    createPodGroups([])[Symbol.dispose]()
    expect(isThere()).toEqual([false, false, false])
  })

  it('writes what holds already no second time, and changes a limit in place', async () => {
    await enforce({ 'iops-limit/read-iops': '300' })
    expect(await enforce({ 'iops-limit/read-iops': '300' }, '--plan')).toBe('')
    const file = `${groups.container(UID, ID)}/blkio.throttle.read_iops_device`
    expect(JSON.parse(await enforce({ 'iops-limit/read-iops': '400' }, '--plan'))).toEqual({
      pod: 'team/db',
      container: 'pg',
      path: file,
      value: `${disk.device} 400`,
    })
    expect(readFileSync(file, 'utf8')).toBe(`${disk.device} 300\n`)
    await enforce({ 'iops-limit/read-iops': '400' })
    expect(readFileSync(file, 'utf8')).toBe(`${disk.device} 400\n`)
    await enforce({})
    expect(readFileSync(file, 'utf8')).toBe('')
  })

  it('refuses what is no whole disk and what is no number, in words that say what to do', () => {
    const write = (file: string, value: string) =>
      writeLine({
        pod: 'team/db',
        container: 'pg',
        path: `${groups.container(UID, ID)}/${file}`,
        value,
      })
    expect(write('blkio.throttle.read_iops_device', '1023:1023 5')).toMatchObject({
      cure: 'the device is no whole disk, or has gone: check DATA_MOUNT',
    })
    expect(write('blkio.throttle.read_iops_device', `${disk.device} x`)).toMatchObject({
      cure: expect.stringContaining('the kernel does not take this line') as unknown,
    })
    expect(write('io.max', `${disk.device} riops=5`)).toMatchObject({
      cure: 'enable the io controller for the cgroup above',
    })
    expect(
      writeLine({
        pod: 'team/db',
        container: 'pg',
        path: `${groups.container(UID, ID)}x/io.max`,
        value: '',
      }),
    ).toBe('gone')
  })

  it('takes the largest values that the contract allows', async () => {
    await enforce({ 'iops-limit/read-iops': '4294967294', 'iops-limit/write-bps': '18446744073709551614' })
    expect(readFileSync(`${groups.container(UID, ID)}/blkio.throttle.read_iops_device`, 'utf8')).toBe(
      `${disk.device} 4294967294\n`,
    )
    expect(readFileSync(`${groups.container(UID, ID)}/blkio.throttle.write_bps_device`, 'utf8')).toBe(
      `${disk.device} 18446744073709551614\n`,
    )
    expect(
      await enforce(
        { 'iops-limit/read-iops': '4294967294', 'iops-limit/write-bps': '18446744073709551614' },
        '--plan',
      ),
    ).toBe('')
    await enforce({})
  })
})
