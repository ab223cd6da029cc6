import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createRecordedNode,
  createStandInNode,
  type GrowingNode,
  markedPods,
  recordedPods,
  type StandInNode,
} from '../../support/kernel/recordedNode.ts'
import { runEnforcer, startEnforcer, writePods } from '../../support/kernel/runEnforcer.ts'
import { replaceFields } from '../../support/mutate.ts'
import { createRandom, runSeed } from '../../support/random.ts'

const nodes: StandInNode[] = []
afterEach(() => {
  for (const node of nodes.splice(0)) node.dispose()
})
const keep = <Node extends StandInNode>(node: Node): Node => {
  nodes.push(node)
  return node
}

const UID = '0a1b2c3d-1111-4222-8333-444455556666'
const UID_ = UID.replaceAll('-', '_')
const ID = 'a'.repeat(64)
const SANDBOX = 'b'.repeat(64)

const podOf = (
  annotations: Record<string, string>,
  given: { name?: string; uid?: string; id?: string } = {},
) => ({
  metadata: {
    namespace: 'team',
    name: given.name ?? 'db',
    uid: given.uid ?? UID,
    annotations: { 'iops-limit/policy': 'gold/x', ...annotations },
  },
  status: { containerStatuses: [{ name: 'pg', containerID: `containerd://${given.id ?? ID}` }] },
})

/** The planned writes, as pod, container, path below the cgroup root, value. */
async function planOf(node: StandInNode, list: unknown, env: Record<string, string> = {}) {
  const { out, status, log } = await runEnforcer(['--pods-file', writePods(node.folder, list), '--plan'], {
    env: { ...node.env, ...env },
  })
  const writes = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { pod: string; container: string | null; path: string; value: string })
  return {
    status,
    log: log.map(({ msg }) => msg),
    writes: writes.map(({ pod, container, path: file, value }) => [
      pod,
      container,
      path.relative(node.cgroup(), file),
      value,
    ]),
  }
}

const applyTo = async (node: StandInNode, list: unknown, env: Record<string, string> = {}) =>
  await runEnforcer(['--pods-file', writePods(node.folder, list), '--once'], { env: { ...node.env, ...env } })

describe('the recorded node', () => {
  it('gets what its marked pods say, on the whole disk, and nothing twice', async () => {
    const node = keep(createRecordedNode())
    const { writes, status } = await planOf(node, markedPods())
    expect(status).toBe(0)
    expect(writes).toEqual([
      [
        'default/db',
        null,
        'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod005fc95c_aff6_4020_87fd_e1e3ffac3e9f.slice/io.max',
        '259:0 rbps=max wbps=max riops=500 wiops=500',
      ],
      [
        'default/batch',
        null,
        'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod81914830_d223_4b36_87c5_ad1646bad374.slice/io.max',
        '259:0 rbps=max wbps=10485760 riops=300 wiops=max',
      ],
      [
        'default/crash',
        null,
        'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podfd996213_e99a_4971_b167_112ba325af8d.slice/io.max',
        '259:0 rbps=max wbps=max riops=800 wiops=800',
      ],
      [
        'kube-system/static-node-a',
        null,
        'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod549ed227c640e90771320b8d5db0b5d0.slice/io.max',
        '259:0 rbps=max wbps=max riops=700 wiops=700',
      ],
    ])
    expect((await applyTo(node, markedPods())).log.at(-1)).toMatchObject({
      msg: 'pass',
      cgroup: 'v2',
      devices: ['259:0'],
      pods: 5,
      limited: 4,
      written: 4,
      gone: 0,
      failed: 0,
    })
    expect(readFileSync(node.cgroup(String(writes[0]?.[2])), 'utf8')).toBe(
      '259:0 rbps=max wbps=max riops=500 wiops=500',
    )
    expect((await planOf(node, markedPods())).writes).toEqual([])
  })

  it('gets nothing for pods that admission never marked, unless told so', async () => {
    const node = keep(createRecordedNode())
    expect((await planOf(node, recordedPods())).writes).toEqual([])
    expect((await planOf(node, recordedPods(), { REQUIRE_MARK: 'false' })).writes).toHaveLength(4)
  })

  it('gets limits by container where they say so: init, sidecar and main, not the sandbox', async () => {
    const node = keep(createRecordedNode())
    const list = markedPods()
    Object.assign(list.items[0]!.metadata.annotations!, {
      'iops-limit/scope': 'container',
      'container.iops-limit/proxy': 'read-iops=50',
    })
    const { writes } = await planOf(node, { ...list, items: list.items.slice(0, 1) })
    expect(
      writes.map(([, container, file, value]) => [
        container,
        path.basename(path.dirname(String(file))).slice(0, 22),
        value,
      ]),
    ).toEqual([
      ['proxy', 'cri-containerd-119d7a4', '259:0 rbps=max wbps=max riops=50 wiops=500'],
      ['pg', 'cri-containerd-f7c90f1', '259:0 rbps=max wbps=max riops=500 wiops=500'],
    ])
  })

  it('loses a limit with its annotation, its mark or its scope', async () => {
    const node = keep(createRecordedNode())
    await applyTo(node, markedPods())
    const list = markedPods()
    delete list.items[0]!.metadata.annotations!['iops-limit/limit']
    delete list.items[1]!.metadata.annotations!['iops-limit/policy']
    Object.assign(list.items[3]!.metadata.annotations!, { 'iops-limit/scope': 'container' })
    expect(
      (await planOf(node, list)).writes.map(([pod, container, , value]) => [pod, container, value]),
    ).toEqual([
      ['default/db', null, '259:0 rbps=max wbps=max riops=max wiops=max'],
      ['default/batch', null, '259:0 rbps=max wbps=max riops=max wiops=max'],
      ['default/crash', null, '259:0 rbps=max wbps=max riops=max wiops=max'],
    ])
  })
})

describe('every layout', () => {
  it.each([
    ['systemd, Guaranteed', `kubepods.slice/kubepods-pod${UID_}.slice`, `cri-containerd-${ID}.scope`],
    [
      'systemd, Burstable, CRI-O',
      `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice`,
      `crio-${ID}.scope`,
    ],
    [
      'systemd, BestEffort, Docker',
      `kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_}.slice`,
      `docker-${ID}.scope`,
    ],
    ['cgroupfs, Guaranteed', `kubepods/pod${UID}`, ID],
    ['cgroupfs, Burstable, CRI-O', `kubepods/burstable/pod${UID}`, `crio-${ID}`],
    ['cgroupfs, BestEffort', `kubepods/besteffort/pod${UID}`, ID],
    [
      'kind',
      `kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${UID_}.slice`,
      `cri-containerd-${ID}.scope`,
    ],
    [
      'a root of its own',
      `a_b.slice/a_b-c.slice/a_b-c-kubepods.slice/a_b-c-kubepods-pod${UID_}.slice`,
      `cri-containerd-${ID}.scope`,
    ],
  ])('%s: is found by uid and id', async (_, pod, container) => {
    const node = keep(createStandInNode())
    node.addV2(`${pod}/${container}`)
    node.addV2(pod)
    node.addV2(`${pod}/crio-conmon-${ID}.scope`)
    node.addV2(`${pod}/cri-containerd-${SANDBOX}.scope`)
    node.addV2('system.slice/x.service')
    const shared = await planOf(node, { items: [podOf({ 'iops-limit/limit': '100' })] })
    expect(shared.writes).toEqual([
      ['team/db', null, `${pod}/io.max`, '259:0 rbps=max wbps=max riops=100 wiops=100'],
    ])
    const each = await planOf(node, {
      items: [podOf({ 'iops-limit/limit': '100', 'iops-limit/scope': 'container' })],
    })
    expect(each.writes).toEqual([
      ['team/db', 'pg', `${pod}/${container}/io.max`, '259:0 rbps=max wbps=max riops=100 wiops=100'],
    ])
  })

  it.each([
    ['cgroupfs', `kubepods/burstable/pod${UID}/${ID}`],
    [
      'systemd',
      `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/cri-containerd-${ID}.scope`,
    ],
  ])(
    'v1, %s, on a hybrid host: the container and what is nested in it, and that is said',
    async (_, container) => {
      const node = keep(createStandInNode())
      node.addV1(`${container}/container`)
      node.addV1(container)
      node.addV1(path.dirname(container))
      mkdirSync(node.cgroup('unified'))
      const { writes, log } = await planOf(node, {
        items: [podOf({ 'iops-limit/read-iops': '100', 'iops-limit/write-bps': '1Mi' })],
      })
      expect(writes).toEqual([
        ['team/db', 'pg', `blkio/${container}/blkio.throttle.read_iops_device`, '259:0 100'],
        ['team/db', 'pg', `blkio/${container}/blkio.throttle.write_bps_device`, '259:0 1048576'],
        ['team/db', 'pg', `blkio/${container}/container/blkio.throttle.read_iops_device`, '259:0 100'],
        ['team/db', 'pg', `blkio/${container}/container/blkio.throttle.write_bps_device`, '259:0 1048576'],
      ])
      expect(log).toEqual([
        'cgroup v1 throttles containers only: the limit of scope pod is given to each container (team/db)',
      ])
      await applyTo(node, { items: [podOf({ 'iops-limit/read-iops': '100' })] })
      expect(
        (await planOf(node, { items: [podOf({})] })).writes.map(([, , file, value]) => [
          path.basename(String(file)),
          value,
        ]),
      ).toEqual([
        ['blkio.throttle.read_iops_device', '259:0 0'],
        ['blkio.throttle.read_iops_device', '259:0 0'],
      ])
    },
  )

  it('several disks: each limit on each, once a disk', async () => {
    const node = keep(createStandInNode())
    node.addV2(`kubepods/pod${UID}`)
    const { writes, status, log } = await planOf(
      node,
      { items: [podOf({ 'iops-limit/limit': '100' })] },
      { DATA_MOUNT: '/data,/,/data/,/run' },
    )
    expect(writes.map(([, , , value]) => value)).toEqual([
      '259:0 rbps=max wbps=max riops=100 wiops=100',
      '254:0 rbps=max wbps=max riops=100 wiops=100',
    ])
    expect([status, log]).toEqual([
      1,
      [
        'DATA_MOUNT /run: is tmpfs (tmpfs), which has no disk of its own on this node; name a mount point whose filesystem lies on a local disk',
      ],
    ])
  })
})

describe('one that fails stops none of the rest', () => {
  const twoPods = (node: GrowingNode) => {
    node.addV2(`kubepods/pod${UID}`)
    node.addV2('kubepods/pod1111')
    return {
      items: [
        podOf({ 'iops-limit/limit': '100' }),
        podOf({ 'iops-limit/limit': '200' }, { name: 'other', uid: '1111' }),
      ],
    }
  }

  it('a file that is missing', async () => {
    const node = keep(createStandInNode())
    const list = twoPods(node)
    rmSync(node.cgroup(`kubepods/pod${UID}/io.max`))
    const { status, log } = await applyTo(node, list)
    expect([status, log.at(-1)]).toMatchObject([1, { written: 1, failed: 0 }])
    const folder = node.cgroup('kubepods')
    expect(log[0]?.msg).toBe(
      `pod team/db: ${folder}/pod${UID}/io.max does not exist, so nothing can be limited there; enable the io controller for it (echo +io > ${folder}/cgroup.subtree_control) and in every directory above; where it is enabled, the kernel lacks CONFIG_BLK_DEV_THROTTLING`,
    )
  })

  it('a file that cannot be read or written', async () => {
    const node = keep(createStandInNode())
    const list = twoPods(node)
    const file = node.cgroup(`kubepods/pod${UID}/io.max`)
    // A folder in the file's place is refused whoever asks, root included.
    rmSync(file)
    mkdirSync(file)
    const { status, log } = await applyTo(node, list)
    expect([status, log.at(-1)]).toMatchObject([1, { written: 1, failed: 0 }])
    expect(log[0]?.msg).toMatch(
      /^pod team\/db: .* cannot be read: EISDIR.*; run as root, with the cgroup filesystem mounted read-write$/,
    )
    rmSync(file, { recursive: true })
    writeFileSync(file, '')
    chmodSync(file, 0o444)
    const again = await applyTo(node, list)
    expect(again.log.at(-1)).toMatchObject(
      process.getuid?.() === 0 ? { written: 1 } : { written: 0, failed: 1 },
    )
  })

  it('annotations that cannot be read, beside others that can', async () => {
    const node = keep(createStandInNode())
    node.addV2(`kubepods/pod${UID}`)
    const { writes, status, log } = await planOf(node, {
      items: [podOf({ 'iops-limit/read-iops': 'x', 'iops-limit/write-iops': '100' }), 5],
    })
    expect(writes.map(([, , , value]) => value)).toEqual(['259:0 rbps=max wbps=max riops=max wiops=100'])
    expect(status).toBe(1)
    expect(log).toEqual([
      'PodList.items[1]: "5" is a number, not a map; write a map of keys and values',
      'pod team/db: iops-limit/read-iops: "x" is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit',
    ])
  })

  it('pods that have ended or not begun are nothing to say', async () => {
    const node = keep(createStandInNode())
    node.addV2('kubepods/burstable')
    expect(await planOf(node, { items: [podOf({ 'iops-limit/limit': '100' })] })).toEqual({
      status: 0,
      log: [],
      writes: [],
    })
  })

  it('pods that should run and are not found are said, for the tree may be the wrong one', async () => {
    const node = keep(createStandInNode())
    node.addV2('kubepods/burstable')
    const running = (annotations: Record<string, string>, uid: string) => ({
      ...podOf(annotations, { uid, name: `db-${uid}` }),
      status: { phase: 'Running' },
    })
    const list = [running({}, '1'), running({ 'iops-limit/limit': '100' }, '2')]
    const message = (who: string) =>
      `no cgroup below ${node.cgroup()} for ${who}, though the list says Running: unless just ended, check CGROUP_ROOT`
    expect(await planOf(node, { items: list })).toEqual({
      status: 0,
      log: [message('team/db-2')],
      writes: [],
    })
    const more = [...list, running({ 'iops-limit/limit': '100' }, '3')]
    expect((await planOf(node, { items: more })).log).toEqual([message('2 pods, the first team/db-2')])
  })
})

describe('disks', () => {
  const device = (node: StandInNode, name: string, files: Record<string, string>) => {
    const folder = path.join(node.folder, 'sys/devices/virtual/block', name)
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
      writeFileSync(path.join(folder, file), text)
    }
    const link = path.join(node.folder, 'sys/class/block', path.basename(name))
    rmSync(link, { force: true })
    symlinkSync(folder, link)
  }
  const valuesOn = async (node: GrowingNode, mount: string) => {
    node.addV2(`kubepods/pod${UID}`)
    const mountinfo = path.join(node.folder, 'proc/self/mountinfo')
    writeFileSync(mountinfo, `${readFileSync(mountinfo, 'utf8')}${mount}\n`)
    const { writes, log } = await planOf(
      node,
      { items: [podOf({ 'iops-limit/limit': '100' })] },
      { DATA_MOUNT: '/mnt' },
    )
    return [...log, ...writes.map(([, , , value]) => String(value).split(' ')[0])]
  }

  it('of btrfs are the partition, the volume or the disk of its source', async () => {
    const node = keep(createStandInNode())
    expect(await valuesOn(node, '900 27 0:50 / /mnt rw - btrfs /dev/nvme0n1p1 rw')).toEqual(['259:0'])
    device(node, 'dm-0', { 'dm/name': 'other\n', dev: '252:0\n' })
    device(node, 'dm-1', { 'dm/name': 'vg-data\n', dev: '252:1\n' })
    expect(await valuesOn(node, '901 27 0:51 / /mnt rw - btrfs /dev/mapper/vg-data rw')).toEqual(['252:1'])
    device(node, 'cciss!c0d0', { dev: '104:0\n' })
    expect(await valuesOn(node, '902 27 0:52 / /mnt rw - btrfs /dev/cciss/c0d0 rw')).toEqual(['104:0'])
    expect(await valuesOn(node, '903 27 0:53 / /mnt rw - btrfs /dev/mapper/none rw')).toEqual([
      expect.stringMatching(
        /^DATA_MOUNT \/mnt: lies on .*\/class\/block\/none, which leads to no disk: ENOENT.*; check that sysfs is mounted there and knows the device, or set SYS_ROOT$/,
      ),
    ])
    rmSync(path.join(node.folder, 'sys/class'), { recursive: true })
    expect(await valuesOn(node, '904 27 0:54 / /mnt rw - btrfs /dev/mapper/vg-data rw')).toEqual([
      expect.stringContaining('which leads to no disk: ENOENT'),
    ])
  })

  it('are told by a number and nothing else', async () => {
    const node = keep(createStandInNode())
    device(node, 'odd', { dev: '8:0 rbps=1\n' })
    expect(await valuesOn(node, '900 27 0:50 / /mnt rw - btrfs /dev/odd rw')).toEqual([
      expect.stringContaining('odd/dev holds "8:0 rbps=1", not MAJOR:MINOR'),
    ])
  })
})

describe('settings', () => {
  it('say everything that is wrong at once', async () => {
    const { status, error } = await runEnforcer(['--check-interval', 'soon', '--nonsense', 'x'], {
      env: { CGROUP_VERSION: 'v3', DATA_MOUNT: ',' },
    })
    expect(status).toBe(2)
    expect(error).toBe(
      [
        'iops-limit-enforcer: unknown option --nonsense: see --help',
        'iops-limit-enforcer: unexpected argument "x": see --help',
        'iops-limit-enforcer: DATA_MOUNT "," names no mount point',
        'iops-limit-enforcer: CGROUP_VERSION "v3" is not one of auto, v1, v2',
        'iops-limit-enforcer: --check-interval "soon" is not a duration such as 10s, 1m30s or 500ms',
        '',
      ].join('\n'),
    )
  })

  it('help tells all', async () => {
    const { status, out } = await runEnforcer(['--help'])
    expect(status).toBe(0)
    for (const word of [
      '--pods-file',
      'DATA_MOUNT',
      'CGROUP_ROOT',
      'PROC_ROOT',
      'SYS_ROOT',
      '--plan',
      '--once',
    ])
      expect(out).toContain(word)
  })

  it('refuse a pace that only burns CPU', async () => {
    expect(await runEnforcer(['--pods-file', 'x'], { env: { CHECK_INTERVAL: '1ms' } })).toMatchObject({
      status: 2,
      error: 'iops-limit-enforcer: CHECK_INTERVAL "1ms" is shorter than 100ms, which would only burn CPU\n',
    })
  })

  it('of the older service are accepted and said to be unneeded', async () => {
    const node = keep(createRecordedNode())
    const { log } = await applyTo(node, markedPods(), {
      CONTAINER_RUNTIME: 'docker',
      CONTAINER_SOCKET_PATH: '/x',
      KUBECONFIG_PATH: '/k',
      KUBELET_SA_TOKEN_PATH: '/t',
      CONTAINER_READ_IOPS_LIMIT: '500',
      SMART_LIMIT_USE_KUBELET_API: 'false',
      SMART_LIMIT_ENABLED: 'true',
      EXCLUDE_LABEL_SELECTOR: '',
    })
    const without =
      'has no effect: which pods are limited, and to what, is for policies to say; "iops-limit migrate" writes one from these variables'
    expect(log.map(({ level, msg }) => [level, msg]).slice(0, 6)).toEqual([
      ['info', 'CONTAINER_RUNTIME is not needed: cgroups are found by pod uid'],
      ['info', 'CONTAINER_SOCKET_PATH is not needed: cgroups are found by pod uid'],
      [
        'warn',
        'KUBECONFIG_PATH has no effect: the API server is met by the service account (SERVICE_ACCOUNT_PATH)',
      ],
      [
        'warn',
        "KUBELET_SA_TOKEN_PATH has no effect: set KUBELET_TOKEN_PATH; left out, the service account's token is shown",
      ],
      ['warn', `CONTAINER_READ_IOPS_LIMIT ${without}`],
      ['warn', `SMART_LIMIT_ENABLED ${without}`],
    ])
  })

  it.each<[string, (node: StandInNode) => Record<string, string>, string]>([
    [
      'no cgroup tree',
      () => ({ CGROUP_ROOT: '/nowhere' }),
      'CGROUP_ROOT /nowhere: has neither cgroup.controllers (v2) nor blkio (v1); mount the cgroup filesystem there, or set CGROUP_ROOT',
    ],
    [
      'v2 where there is none',
      () => ({ CGROUP_ROOT: '/nowhere', CGROUP_VERSION: 'v2' }),
      'CGROUP_ROOT /nowhere: has no cgroup.controllers, so it is no cgroup v2 tree; mount the cgroup filesystem there, or set CGROUP_ROOT or CGROUP_VERSION',
    ],
    [
      'v1 where there is none',
      (node) => ({ CGROUP_VERSION: 'v1', CGROUP_ROOT: node.env['CGROUP_ROOT'] ?? '' }),
      ': has no blkio, so it is no cgroup v1 tree; mount the cgroup filesystem there, or set CGROUP_ROOT or CGROUP_VERSION',
    ],
    [
      'v2 on a host of v1',
      (node) => {
        rmSync(node.cgroup('cgroup.controllers'), { force: true })
        mkdirSync(node.cgroup('blkio'), { recursive: true })
        return { CGROUP_VERSION: 'v2' }
      },
      ': has no cgroup.controllers, so it is no cgroup v2 tree; mount the cgroup filesystem there, or set CGROUP_ROOT or CGROUP_VERSION',
    ],
    [
      'no mount',
      () => ({ DATA_MOUNT: '/nowhere' }),
      'DATA_MOUNT /nowhere: is not a mount point; it lies on / (/dev/vda); name the mount point of the disk to limit, or mount the disk there',
    ],
    ['no proc', () => ({ PROC_ROOT: '/nowhere' }), 'PROC_ROOT /nowhere: gives no mountinfo: '],
    [
      'no sysfs',
      () => ({ SYS_ROOT: '/nowhere' }),
      'DATA_MOUNT /data: lies on /nowhere/dev/block/259:1, which leads to no disk: ENOENT',
    ],
  ])('that fit no node are told: %s', async (_, env, message) => {
    const node = keep(createRecordedNode())
    for (const run of [applyTo, planOf]) {
      const { status, log } = await run(node, markedPods(), env(node))
      expect(status).toBe(2)
      expect(log.map((line) => (typeof line === 'string' ? line : line.msg)).join('\n')).toContain(message)
    }
  })

  it('v2 without the io controller is told', async () => {
    const node = keep(createRecordedNode())
    writeFileSync(node.cgroup('cgroup.controllers'), 'cpu memory\n')
    expect((await planOf(node, markedPods())).log).toEqual([
      `CGROUP_ROOT ${node.cgroup()}: has no io controller: cgroup.controllers lists cpu memory; boot a kernel with CONFIG_BLK_CGROUP and without cgroup_disable=io; in a container, mount the tree of the host`,
    ])
    writeFileSync(node.cgroup('cgroup.controllers'), '\n')
    expect((await planOf(node, markedPods())).log[0]).toContain('cgroup.controllers lists none;')
  })

  it('v2 asked for by name takes a tree of directories alone', async () => {
    const node = keep(createRecordedNode())
    rmSync(node.cgroup('cgroup.controllers'))
    expect((await planOf(node, markedPods(), { CGROUP_VERSION: 'v2' })).writes).toHaveLength(4)
  })

  it('give absolute paths, however the root is written', async () => {
    const node = keep(createRecordedNode())
    const root = `${path.relative(process.cwd(), node.cgroup())}//`
    expect((await planOf(node, markedPods(), { CGROUP_ROOT: root })).writes).toEqual(
      (await planOf(node, markedPods())).writes,
    )
  })

  it('pods that are no pods are told', async () => {
    const node = keep(createRecordedNode())
    expect((await planOf(node, { items: 5 })).log).toEqual([
      'PodList.items: "5" is a number, not a list; write a list',
    ])
    const missing = await runEnforcer(['--pods-file', '/nowhere', '--once'], { env: node.env })
    expect([missing.status, missing.log[0]?.msg]).toEqual([
      2,
      `--pods-file /nowhere: cannot be read: ENOENT: no such file or directory, open '/nowhere'; give a file that holds the kubelet's answer to /pods as JSON`,
    ])
  })
})

describe('without --once', () => {
  it('passes follow until the end: what changed is written, and a bad moment passes', async () => {
    const node = keep(createStandInNode())
    node.addV2(`kubepods/pod${UID}`)
    const file = writePods(node.folder, { items: [podOf({ 'iops-limit/limit': '100' })] })
    const io = node.cgroup(`kubepods/pod${UID}/io.max`)
    await using enforcer = startEnforcer(['--pods-file', file, '--check-interval', '100ms'], {
      env: node.env,
    })
    const holds = async (text: string) =>
      await expect.poll(() => readFileSync(io, 'utf8').replace(/^259:0 rbps=max wbps=max /, '')).toBe(text)
    await holds('riops=100 wiops=100')
    writeFileSync(file, 'half a fi')
    await expect
      .poll(() => enforcer.log.map(({ msg }) => msg))
      .toContain('nobody tells of pods any more: limits stay as they are')
    writeFileSync(io, '')
    await holds('riops=100 wiops=100')
    writePods(node.folder, { items: [podOf({ 'iops-limit/limit': '300' })] })
    await holds('riops=300 wiops=300')
    writePods(node.folder, { items: [podOf({})] })
    await holds('riops=max wiops=max')
    expect((await enforcer.stop()).status).toBe(0)
  })
})

describe('hostile pods', () => {
  it('lead to no write outside the cgroups of the listed pods, and to no crash', async () => {
    const node = keep(createRecordedNode())
    const seed = runSeed()
    const random = createRandom(seed)
    const before = readdirSync(node.folder)
    for (let index = 0; index < 300; index++) {
      const list = replaceFields(markedPods(), random)
      const { writes, status } = await planOf(node, list)
      expect(status, `seed ${seed}, case ${index}`).toBeLessThanOrEqual(2)
      for (const [, , file, value] of writes) {
        expect(file, `seed ${seed}, case ${index}`).toMatch(
          /^kubepods\.slice\/[\w./-]*pod[0-9a-f_]+\.slice\/(?:cri-containerd-[0-9a-f]{64}\.scope\/)?io\.max$/,
        )
        expect(value).toMatch(/^259:0 rbps=(max|\d+) wbps=(max|\d+) riops=(max|\d+) wiops=(max|\d+)$/)
      }
    }
    expect(readdirSync(node.folder)).toEqual(expect.arrayContaining(before))
  })

  it('with uids and ids that are paths find nothing', async () => {
    const node = keep(createRecordedNode())
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('../../../../tmp', '/etc', '..', '.', '*', 'kubepods', ''),
        async (hostile) => {
          const { writes } = await planOf(node, {
            items: [
              podOf(
                { 'iops-limit/limit': '5', 'iops-limit/scope': 'container' },
                { uid: hostile, id: hostile },
              ),
            ],
          })
          expect(writes).toEqual([])
        },
      ),
    )
    expect(existsSync('/tmp/io.max')).toBe(false)
  })
})
