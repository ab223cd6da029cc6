/** The program that stays, on a node of plain directories: what it notices, repairs, forgets, tells and survives. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStandInNode, type GrowingNode, readRecorded } from '../../support/kernel/recordedNode.ts'
import {
  type RunningEnforcer,
  readMetric,
  readPage,
  runEnforcer,
  startEnforcer,
  writePods,
} from '../../support/kernel/runEnforcer.ts'
import {
  createApiStandIn,
  json,
  type StandIn,
  standInEnv,
  startStandIn,
} from '../../support/kernel/standIns.ts'

const MAIN = new URL('../../../enforcer/main.ts', import.meta.url).pathname
const UID = '0a1b2c3d-1111-4222-8333-444455556666'
const hex = (letter: string): string => letter.repeat(64)

interface Given {
  readonly name?: string
  readonly uid?: string
  readonly annotations?: Record<string, string>
  /** Ids by container. */
  readonly ids?: Record<string, string>
  readonly containers?: readonly string[]
}

const podOf = ({ name = 'db', uid = UID, annotations = {}, ids = {}, containers = ['pg'] }: Given = {}) => ({
  metadata: {
    namespace: 'team',
    name,
    uid,
    annotations: { 'iops-limit/policy': 'gold/x', 'iops-limit/limit': '100', ...annotations },
  },
  spec: { containers: containers.map((container) => ({ name: container })) },
  status: {
    phase: 'Running',
    containerStatuses: Object.entries(ids).map(([container, id]) => ({
      name: container,
      containerID: `containerd://${id}`,
    })),
  },
})

let node: GrowingNode
let kubelet: StandIn
const made: AsyncDisposable[] = []
const children: ChildProcess[] = []

beforeEach(async () => {
  node = createStandInNode()
  mkdirSync(node.cgroup('kubepods/burstable'), { recursive: true })
  node.addV2('kubepods')
  made.push((kubelet = await startStandIn(json({ items: [] }))))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const thing of made.splice(0).toReversed()) await thing[Symbol.asyncDispose]()
  node.dispose()
})

const tell = (...pods: readonly object[]): void => {
  kubelet.answer = json({ kind: 'PodList', items: pods })
}

async function start(interval: string, env: Record<string, string> = {}): Promise<RunningEnforcer> {
  const enforcer = startEnforcer(['--check-interval', interval], {
    env: { ...node.env, ...standInEnv(kubelet), ...env },
  })
  made.push(enforcer)
  await expect.poll(async () => (await fetch(`${await enforcer.origin()}/readyz`)).status).toBe(200)
  return enforcer
}

/** -1: nobody reads. */
function openPipe(file: string): number {
  try {
    return openSync(file, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return -1
  }
}

const PASSES = /pass_seconds_count (\d+)/

const textOf = (group: string): string => {
  try {
    return readFileSync(node.cgroup(group, 'io.max'), 'utf8')
  } catch {
    return 'none'
  }
}
const limitOf = (group: string): string => /riops=(\w+)/.exec(textOf(group))?.[1] ?? ''
const holds = async (group: string, limit: string) =>
  await expect.poll(() => limitOf(group), { timeout: 20_000, interval: 2 }).toBe(limit)
const messages = (enforcer: RunningEnforcer) => enforcer.log.map(({ msg }) => msg)

describe('cgroups that come', () => {
  it('of a pod that the kubelet knows already: asked for and limited at once', async () => {
    const enforcer = await start('1h')
    tell(podOf())
    const before = performance.now()
    node.addV2(`kubepods/burstable/pod${UID}`)
    await holds(`kubepods/burstable/pod${UID}`, '100')
    console.log(`a pod's cgroup is limited ${(performance.now() - before).toFixed(1)} ms after it came`)
    expect(kubelet.calls.length).toBeLessThanOrEqual(3)
    // The line is there a moment before its writer has counted it.
    await expect
      .poll(() => readMetric(enforcer, /apply_seconds_count\{cause="(?:cgroup|pod)"\} (\d+)/))
      .toBe(1)
  })

  it('of a container, and of one that was started anew', async () => {
    const pod = `kubepods/burstable/pod${UID}`
    const annotations = { 'iops-limit/scope': 'container' }
    tell(podOf({ annotations, ids: { pg: hex('a') } }))
    node.addV2(pod)
    await start('1h')
    node.addV2(`${pod}/${hex('a')}`)
    await holds(`${pod}/${hex('a')}`, '100')
    rmSync(node.cgroup(`${pod}/${hex('a')}`), { recursive: true })
    tell(podOf({ annotations, ids: { pg: hex('b') } }))
    node.addV2(`${pod}/${hex('b')}`)
    await holds(`${pod}/${hex('b')}`, '100')
  })

  it('of containers that no status names yet: the least of what they may do, until one does', async () => {
    const pod = `kubepods/burstable/pod${UID}`
    const given = {
      annotations: { 'iops-limit/scope': 'container', 'container.iops-limit/proxy': 'limit=10' },
      containers: ['pg', 'proxy'],
    }
    tell(podOf(given))
    node.addV2(pod)
    await start('1h')
    for (const letter of 'ab') node.addV2(`${pod}/${hex(letter)}`)
    // Cgroups are numbered in the order in which they were made; plain directories just have numbers.
    const inode = (letter: string) => statSync(node.cgroup(pod, hex(letter))).ino
    const [sandbox, container] = inode('a') < inode('b') ? ['a', 'b'] : ['b', 'a']
    await holds(`${pod}/${hex(container)}`, '10')
    tell(podOf({ ...given, ids: { pg: hex(container) } }))
    await holds(`${pod}/${hex(container)}`, '100')
    expect(limitOf(`${pod}/${hex(sandbox)}`)).not.toBe('100')
  })

  it('of a sandbox alone: nobody is asked, for it waits for its first container', async () => {
    const pod = `kubepods/burstable/pod${UID}`
    const given = { annotations: { 'iops-limit/scope': 'container' } }
    tell(podOf(given))
    node.addV2(pod)
    await start('1h')
    const before = kubelet.calls.length
    node.addV2(`${pod}/${hex('a')}`)
    await sleep(2000)
    expect(kubelet.calls).toHaveLength(before)
    node.addV2(`${pod}/${hex('b')}`)
    await expect.poll(() => kubelet.calls.length).toBeGreaterThan(before)
  })

  it('all at once: 500 pods, with few questions to the kubelet', async () => {
    const enforcer = await start('1h')
    const uids = Array.from({ length: 500 }, (_, index) => UID.slice(0, -4) + String(1000 + index))
    tell(...uids.map((uid) => podOf({ uid, name: uid })))
    const before = performance.now()
    for (const uid of uids) node.addV2(`kubepods/burstable/pod${uid}`)
    const created = performance.now()
    await expect
      .poll(() => uids.filter((uid) => limitOf(`kubepods/burstable/pod${uid}`) === '100').length, {
        timeout: 20_000,
      })
      .toBe(500)
    console.log(
      `500 pods came within ${(created - before).toFixed(0)} ms and were limited ${(performance.now() - created).toFixed(0)} ms later, with ${kubelet.calls.length} questions`,
    )
    expect(kubelet.calls.length).toBeLessThan(20)
    await expect.poll(() => readMetric(enforcer, /pods\{state="limited"\} (\d+)/)).toBe(500)
  })

  it('of a pod that the kubelet never tells of: asked about a few times, and left alone', async () => {
    const enforcer = await start('1h')
    node.addV2(`kubepods/burstable/pod${UID}`)
    await expect.poll(() => kubelet.calls.length, { timeout: 20_000 }).toBeGreaterThan(3)
    expect(limitOf(`kubepods/burstable/pod${UID}`)).toBe('')
    expect(await readMetric(enforcer, /pods\{state="limited"\} (\d+)/)).toBe(0)
  })

  it('whose attributes change, as systemd changes them dozens of times for each pod, cost nothing', async () => {
    const [pod, container] = [`kubepods/burstable/pod${UID}`, `kubepods/burstable/pod${UID}/${hex('a')}`]
    node.addV2(pod)
    node.addV2(container)
    tell(podOf({ ids: { pg: hex('a') }, annotations: { 'iops-limit/scope': 'container' } }))
    const enforcer = await start('1h')
    await holds(container, '100')
    const change = (): void => {
      for (const folder of ['kubepods', 'kubepods/burstable', pod, container])
        for (const mode of [0o700, 0o755]) chmodSync(node.cgroup(folder), mode)
    }
    // What nobody has looked at yet may be new: once for each directory, and those above first.
    for (let time = 0; time < 5; time++) {
      change()
      await sleep(50)
    }
    const [passes, questions] = [await readMetric(enforcer, PASSES), kubelet.calls.length]
    for (let time = 0; time < 20; time++) {
      change()
      await sleep(5)
    }
    // An event that matters comes behind all these, and is heard: the container is started anew.
    rmSync(node.cgroup(container), { recursive: true })
    const other = `kubepods/burstable/pod${UID}/${hex('b')}`
    tell(podOf({ ids: { pg: hex('b') }, annotations: { 'iops-limit/scope': 'container' } }))
    node.addV2(other)
    await holds(other, '100')
    expect(await readMetric(enforcer, PASSES)).toBe(passes)
    expect(kubelet.calls.length - questions).toBeLessThanOrEqual(3)
  })

  it('in the middle of a pass that waits for the disks: limited by those that are known', async () => {
    const pod = `kubepods/burstable/pod${UID}`
    const mountinfo = path.join(node.folder, 'proc/self/mountinfo')
    tell(podOf())
    const enforcer = await start('100ms')
    const text = readFileSync(mountinfo)
    unlinkSync(mountinfo)
    execFileSync('mkfifo', [mountinfo])
    // It opens for writing only once somebody stands there and reads.
    let pipe = -1
    await expect
      .poll(() => {
        pipe = openPipe(mountinfo)
        return pipe
      })
      .toBeGreaterThan(0)
    const passes = await readMetric(enforcer, PASSES)
    try {
      node.addV2(pod)
      await holds(pod, '100')
      expect(await readMetric(enforcer, PASSES)).toBe(passes)
    } finally {
      rmSync(mountinfo)
      writeFileSync(mountinfo, text)
      writeFileSync(pipe, text)
      closeSync(pipe)
    }
    await expect.poll(() => readMetric(enforcer, PASSES)).toBeGreaterThan(passes + 2)
    expect(limitOf(pod)).toBe('100')
    expect(messages(enforcer).filter((msg) => msg.includes('DATA_MOUNT'))).toEqual([])
  })

  it('that go and come back under the same name', async () => {
    const pod = `kubepods/burstable/pod${UID}`
    tell(podOf())
    await start('1h')
    for (let time = 0; time < 5; time++) {
      node.addV2(pod)
      await holds(pod, '100')
      rmSync(node.cgroup(pod), { recursive: true })
    }
    node.addV2(pod)
    await holds(pod, '100')
    expect(limitOf(pod)).toBe('100')
  })

  it('where the kubelet makes its directories only later', async () => {
    rmSync(node.cgroup('kubepods'), { recursive: true })
    await start('1h')
    tell(podOf())
    node.addV2('kubelet.slice/kubelet-kubepods.slice')
    await sleep(50)
    node.addV2(`kubepods/pod${UID}`)
    await holds(`kubepods/pod${UID}`, '100')
  })
})

describe('nothing is stale', () => {
  const pod = `kubepods/burstable/pod${UID}`

  it('what somebody else changed is repaired and counted; what somebody else has on other disks stays', async () => {
    tell(podOf())
    node.addV2(pod)
    const enforcer = await start('100ms')
    await holds(pod, '100')
    writeFileSync(node.cgroup(pod, 'io.max'), '8:0 rbps=5 wbps=max riops=max wiops=max\n')
    await holds(pod, '100')
    await expect.poll(() => readMetric(enforcer, /drift_total (\d+)/)).toBe(1)
    expect(messages(enforcer)).toContain('somebody else changed the limit: it is written again')
  })

  it('an annotation that goes lifts, and a pod that goes is forgotten', async () => {
    tell(podOf())
    node.addV2(pod)
    const enforcer = await start('100ms')
    await holds(pod, '100')
    tell({ ...podOf(), metadata: { ...podOf().metadata, annotations: {} } })
    await holds(pod, 'max')
    await expect.poll(() => messages(enforcer)).toContain('limit lifted')
    tell()
    rmSync(node.cgroup(pod), { recursive: true })
    await expect
      .poll(async () => JSON.parse((await readPage(enforcer, '/api/v1/limits')).text) as unknown)
      .toEqual({
        items: [],
        total: 0,
      })
  })

  it('killed at any moment and started again, all is right', async () => {
    tell(podOf())
    node.addV2(pod)
    node.addV2('kubepods/burstable/podother')
    writeFileSync(
      node.cgroup('kubepods/burstable/podother', 'io.max'),
      '259:0 rbps=7 wbps=max riops=max wiops=max\n',
    )
    for (const [index, delay] of [0, 5, 20, 60].entries()) {
      const child = spawn(process.execPath, [MAIN, '--check-interval', '100ms', '--metrics-port', '0'], {
        env: { PATH: process.env['PATH'], ...node.env, ...standInEnv(kubelet) },
        stdio: 'ignore',
      })
      children.push(child)
      await expect.poll(() => limitOf(pod), { timeout: 20_000, interval: 1 }).toBe(String(100 + index))
      tell(podOf({ annotations: { 'iops-limit/limit': String(101 + index) } }))
      await sleep(delay)
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const enforcer = await start('100ms')
    await holds(pod, '104')
    expect(textOf('kubepods/burstable/podother')).toContain('rbps=7')
    await enforcer.stop()
  })

  it('release takes by the tree, not by the list, and only lines of its disks', async () => {
    const files = {
      [`${pod}/${hex('a')}`]: '259:0 rbps=max wbps=max riops=5 wiops=5\n',
      'kubepods/burstable/pod-strange': '259:0 rbps=9 wbps=max riops=max wiops=max\n',
      [`kubepods/podffffffff-1111-4222-8333-444455556666`]: '8:0 rbps=5 wbps=max riops=max wiops=max\n',
      'system.slice/db.service': '259:0 rbps=3 wbps=max riops=max wiops=max\n',
    }
    for (const [group, text] of Object.entries(files)) {
      node.addV2(group)
      writeFileSync(node.cgroup(group, 'io.max'), text)
    }
    node.addV2(pod)
    const { status, log } = await runEnforcer(['release'], { env: node.env })
    expect([status, log.at(-1)]).toMatchObject([
      0,
      { msg: 'released', devices: ['259:0'], lifted: 2, failed: 0 },
    ])
    expect(Object.keys(files).map(textOf)).toEqual([
      '259:0 rbps=max wbps=max riops=max wiops=max',
      '259:0 rbps=max wbps=max riops=max wiops=max',
      files['kubepods/podffffffff-1111-4222-8333-444455556666'],
      files['system.slice/db.service'],
    ])
    expect((await runEnforcer(['release', '--data-mount', '/nowhere'], { env: node.env })).status).toBe(2)
  })

  it('lifts all at its end, where it is told to', async () => {
    tell(podOf())
    node.addV2(pod)
    const enforcer = await start('100ms', { RELEASE_ON_EXIT: 'true' })
    await holds(pod, '100')
    expect((await enforcer.stop()).status).toBe(0)
    expect(limitOf(pod)).toBe('max')
  })
})

describe('disks that change', () => {
  const mountinfo = () => path.join(node.folder, 'proc/self/mountinfo')
  const pod = `kubepods/burstable/pod${UID}`

  it('a mount that comes late is limited when it is there, and one that went keeps its disk', async () => {
    tell(podOf())
    node.addV2(pod)
    writeFileSync(mountinfo(), readRecorded('mountinfo.txt').replaceAll(/^.* \/data .*\n/gm, ''))
    const enforcer = startEnforcer(['--check-interval', '100ms'], {
      env: { ...node.env, ...standInEnv(kubelet) },
    })
    made.push(enforcer)
    await expect.poll(() => messages(enforcer).join('\n')).toContain('DATA_MOUNT /data: is not a mount point')
    expect((await readPage(enforcer, '/readyz')).text).toContain(
      'there is no cgroup tree or no disk to enforce on: see the log',
    )
    expect((await readPage(enforcer, '/api/v1/limits')).status).toBe(503)
    writeFileSync(mountinfo(), readRecorded('mountinfo.txt'))
    await holds(pod, '100')
    writeFileSync(mountinfo(), readRecorded('mountinfo.txt').replaceAll(/^.* \/data .*\n/gm, ''))
    await expect.poll(() => messages(enforcer).filter((msg) => msg.startsWith('DATA_MOUNT')).length).toBe(2)
    tell(podOf({ annotations: { 'iops-limit/limit': '200' } }))
    await holds(pod, '200')
  })

  it('a disk that comes back under another number is limited by it, and the old line goes', async () => {
    tell(podOf())
    node.addV2(pod)
    const enforcer = await start('100ms')
    await holds(pod, '100')
    writeFileSync(mountinfo(), readRecorded('mountinfo.txt').replace(/ 259:1 (\/ \/data )/, ' 254:0 $1'))
    await expect.poll(() => textOf(pod)).toContain('254:0 ')
    // A plain file holds the last line only: what was written is told by the log.
    writeFileSync(
      node.cgroup(pod, 'io.max'),
      '259:0 rbps=max wbps=max riops=100 wiops=100\n254:0 rbps=max wbps=max riops=100 wiops=100\n',
    )
    await expect
      .poll(() => enforcer.log.map(({ value }) => value))
      .toContain('259:0 rbps=max wbps=max riops=max wiops=max')
  })

  it('DEVICE names a disk itself, and btrfs has all its members', async () => {
    node.addV2(pod)
    const list = writePods(node.folder, { items: [podOf()] })
    const plan = async (env: Record<string, string>) => {
      const { out, log } = await runEnforcer(['--pods-file', list, '--plan'], {
        env: { ...node.env, ...env },
      })
      return [
        ...log.map(({ msg }) => msg),
        ...out.split('\n').flatMap((line) => /"value":"(\S+)/.exec(line)?.[1] ?? []),
      ]
    }
    expect(await plan({ DEVICE: '/dev/nvme0n1p1' })).toEqual(['259:0'])
    expect(await plan({ DEVICE: '259:1,254:0' })).toEqual(['259:0', '254:0'])
    expect(await plan({ DEVICE: 'vda', DATA_MOUNT: '/data' })).toEqual(['259:0', '254:0'])
    expect(await plan({ DEVICE: 'sdz' })).toEqual([
      expect.stringMatching(/^DEVICE sdz: lies on .*sdz, which leads to no disk: ENOENT/),
    ])
    const members = path.join(node.folder, 'sys/fs/btrfs/0000-1111/devices')
    mkdirSync(members, { recursive: true })
    mkdirSync(path.join(node.folder, 'sys/fs/btrfs/features'), { recursive: true })
    for (const name of ['nvme0n1p1', 'vda'])
      symlinkSync(path.join(node.folder, 'sys/class/block', name), path.join(members, name))
    writeFileSync(mountinfo(), `${readRecorded('mountinfo.txt')}900 27 0:50 / /pool rw - btrfs /dev/vda rw\n`)
    expect(await plan({ DATA_MOUNT: '/pool' })).toEqual(['259:0', '254:0'])
  })
})

describe('what fails', () => {
  const pod = `kubepods/burstable/pod${UID}`

  it('is said once, warned of to the owner once, tried again, and over when it is over', async () => {
    const pods = createApiStandIn()
    const posts: { path: string; body: Record<string, unknown> }[] = []
    const api = await startStandIn((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        if (request.method === 'POST')
          posts.push({
            path: request.url ?? '',
            body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
          })
        pods.answer(request, response)
      })
    })
    made.push(api)
    tell(podOf())
    node.addV2(pod)
    // What a write to a link that leads to itself gives: ELOOP, an error that nobody has a name for; it is read as one too.
    unlinkSync(node.cgroup(pod, 'io.max'))
    const enforcer = await start('100ms', standInEnv(kubelet, api))
    await expect.poll(() => posts.length, { timeout: 20_000 }).toBe(1)
    await sleep(500)
    expect(posts).toMatchObject([
      {
        path: '/api/v1/namespaces/team/events',
        body: {
          type: 'Warning',
          reason: 'LimitNotEnforced',
          message: expect.stringContaining(
            'io.max does not exist, so nothing can be limited there',
          ) as unknown,
          involvedObject: { kind: 'Pod', namespace: 'team', name: 'db', uid: UID },
          source: { component: 'iops-limit-enforcer', host: 'node-a' },
        },
      },
    ])
    expect(messages(enforcer).filter((msg) => msg.includes('does not exist'))).toHaveLength(1)
    expect(await readMetric(enforcer, /pods\{state="failing"\} (\d)/)).toBe(1)
    const { items } = JSON.parse((await readPage(enforcer, '/api/v1/limits')).text) as {
      items: { problems: string[] }[]
    }
    expect(items[0]?.problems[0]).toContain('io.max does not exist')
    writeFileSync(node.cgroup(pod, 'io.max'), '')
    await holds(pod, '100')
    expect(await readMetric(enforcer, /pods\{state="limited"\} (\d)/)).toBe(1)
  })

  it('an API server that takes no events changes nothing, and is said once', async () => {
    const api = await startStandIn(json({ reason: 'Forbidden', message: 'events is forbidden' }, 403))
    made.push(api)
    tell(podOf(), podOf({ name: 'other', uid: UID.replace('0a', '0b') }))
    for (const uid of [UID, UID.replace('0a', '0b')]) {
      node.addV2(`kubepods/burstable/pod${uid}`)
      unlinkSync(node.cgroup(`kubepods/burstable/pod${uid}`, 'io.max'))
    }
    const enforcer = await start('100ms', standInEnv(kubelet, api))
    await expect
      .poll(() => messages(enforcer))
      .toContain('events about pods cannot be sent: grant "create" on events')
    expect(messages(enforcer).filter((msg) => msg.startsWith('events'))).toHaveLength(1)
    expect(await readMetric(enforcer, /events_total\{result="refused"\} (\d)/)).toBeGreaterThan(0)
  })

  it('a metrics port that is taken keeps no limit from its place', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    tell(podOf())
    node.addV2(pod)
    const enforcer = startEnforcer(['--metrics-port', String(port)], {
      env: { ...node.env, ...standInEnv(kubelet) },
    })
    made.push(enforcer)
    await holds(pod, '100')
    expect(messages(enforcer)[0]).toMatch(
      /^cannot listen on 127\.0\.0\.1 port \d+, so metrics and health are not served yet: .*EADDRINUSE.*; free the port, or set METRICS_PORT$/,
    )
    taken.close()
  })

  it('directories that cannot be watched cost time and nothing else', async () => {
    tell(podOf())
    const enforcer = await start('100ms')
    // The tree goes and comes back by a way that no watch of its parents tells of.
    renameSync(node.cgroup('kubepods'), node.cgroup('elsewhere'))
    mkdirSync(node.cgroup(`kubepods/burstable/pod${UID}`), { recursive: true })
    writeFileSync(node.cgroup(`kubepods/burstable/pod${UID}/io.max`), '')
    await holds(pod, '100')
    expect((await readPage(enforcer, '/healthz')).text).toBe('ok\n')
  })
})

describe('pages', () => {
  it('tell what stands where, and what was moved', async () => {
    const pod = `kubepods/burstable/pod${UID}`
    tell(
      podOf({ annotations: { 'iops-limit/defaulted': 'limit' } }),
      podOf({ name: 'free', uid: 'bb', annotations: { 'iops-limit/limit': 'max' } }),
    )
    node.addV2(pod)
    writeFileSync(
      node.cgroup(pod, 'io.stat'),
      '259:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n',
    )
    writeFileSync(
      node.cgroup(pod, 'io.pressure'),
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n',
    )
    const enforcer = await start('100ms')
    await holds(pod, '100')
    await expect.poll(() => messages(enforcer)).toContain("written: a policy's default")
    expect(JSON.parse((await readPage(enforcer, '/api/v1/limits?namespace=team&pod=db')).text)).toEqual({
      items: [
        {
          namespace: 'team',
          pod: 'db',
          uid: UID,
          state: 'limited',
          policy: 'gold/x',
          defaulted: ['limit'],
          scope: 'pod',
          exemptContainers: [],
          cgroups: [
            {
              container: null,
              path: node.cgroup(pod),
              device: '259:0',
              wanted: { readIOPS: 100, writeIOPS: 100 },
              inForce: { readIOPS: 100, writeIOPS: 100 },
            },
          ],
          problems: [],
        },
      ],
      total: 1,
    })
    const first = JSON.parse((await readPage(enforcer, '/api/v1/limits?limit=1')).text) as {
      continue: string
    }
    expect(first).toMatchObject({ items: [{ pod: 'db' }], total: 2 })
    const second = await readPage(enforcer, `/api/v1/limits?limit=1&continue=${first.continue}`)
    expect(JSON.parse(second.text)).toMatchObject({ items: [{ pod: 'free', state: 'unlimited' }], total: 2 })
    expect(second.text).not.toContain('"continue"')
    expect(JSON.parse((await readPage(enforcer, '/api/v1/containers')).text)).toMatchObject({
      items: [
        {
          pod: 'db',
          container: null,
          limit: { readIOPS: 100, writeIOPS: 100 },
          totals: { readBytes: 4096, writtenBytes: 8192, reads: 1, writes: 2 },
          pressureSeconds: { some: 1.5, full: 0.5 },
        },
      ],
      total: 1,
    })
    const { text } = await readPage(enforcer, '/metrics')
    const where = 'namespace="team",pod="db",container="",device="259:0"'
    for (const line of [
      `iops_limit_enforcer_limit{${where},dimension="readIOPS"} 100`,
      `iops_limit_enforcer_io_operations_total{${where},direction="write"} 2`,
      `iops_limit_enforcer_io_bytes_total{${where},direction="read"} 4096`,
      'iops_limit_enforcer_io_pressure_seconds_total{namespace="team",pod="db",container="",kind="full"} 0.5',
      'iops_limit_enforcer_cgroups_left_out 0',
    ])
      expect(text.split('\n')).toContain(line)
    await expect.poll(() => readMetric(enforcer, /pass_seconds_count (\d+)/)).toBeGreaterThan(1)
  })

  it('refuse what they do not know, in words', async () => {
    const enforcer = await start('1h')
    expect((await readPage(enforcer, '/')).text).toContain('there is no such page: see /metrics')
    expect(await readPage(enforcer, '/api/v1/limits?limit=0')).toEqual({
      status: 400,
      text: '{"error":"limit \\"0\\" is not a whole number from 1 to 500"}\n',
    })
    expect(await readPage(enforcer, '/api/v1/containers?continue=-1!')).toEqual({
      status: 400,
      text: '{"error":"continue \\"-1!\\" is none that a page gave"}\n',
    })
    const post = await fetch(`${await enforcer.origin()}/metrics`, { method: 'POST' })
    expect([post.status, await post.text()]).toEqual([405, '{"error":"POST is not answered: use GET"}\n'])
    const head = await fetch(`${await enforcer.origin()}/healthz`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})
