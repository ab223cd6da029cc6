import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAdmitted } from '../../../contract/admitted.ts'
import { DIMENSIONS } from '../../../contract/limits.ts'
import { formatProblem } from '../../../contract/problem.ts'
import { type Caps, capsOf } from '../../../enforcer/core/caps.ts'
import { findDevice, findMountNotice, parseDeviceName } from '../../../enforcer/core/disk.ts'
import { formatIoMax, parseIoMax } from '../../../enforcer/core/iomax.ts'
import {
  findCoveringMount,
  findMount,
  parseMountinfo,
  withoutTrailingSlash,
} from '../../../enforcer/core/mountinfo.ts'
import { findContainerId, findPodUid, isPodParent, isPodUid } from '../../../enforcer/core/names.ts'
import { type FileState, filesOf, planWrites } from '../../../enforcer/core/plan.ts'
import { parsePod, parsePodList } from '../../../enforcer/core/pods.ts'
import { findAwaited, findTargets, isLimited, type Rules } from '../../../enforcer/core/targets.ts'
import { formatThrottle, parseThrottle } from '../../../enforcer/core/throttle.ts'
import { parseIoStat, parsePressure, parseServiced } from '../../../enforcer/core/usage.ts'
import { readRecorded, recordedPods } from '../../support/kernel/recordedNode.ts'

const ID = 'f7c90f18007e67691ad4e78459fabc05522aeb512b6e6cf162eb2b9a452abe91'
const UID = '005fc95c-aff6-4020-87fd-e1e3ffac3e9f'
const STATIC = '549ed227c640e90771320b8d5db0b5d0'

describe('names of cgroup directories', () => {
  it.each([
    [`pod${UID}`, UID],
    [`kubepods-pod${UID.replaceAll('-', '_')}.slice`, UID],
    [`kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`, UID],
    [`kubelet-kubepods-besteffort-pod${UID.replaceAll('-', '_')}.slice`, UID],
    [`kubepods-besteffort-pod${STATIC}.slice`, STATIC],
    [`pod${STATIC}`, STATIC],
    ['kubepods-burstable.slice', undefined],
    ['kubepods', undefined],
    ['pod', undefined],
    ['system.slice', undefined],
    [`pod${UID}.mount`, undefined],
    ['pod../../x', undefined],
  ])('%s is the pod %s', (name, uid) => {
    expect(findPodUid(name)).toBe(uid)
  })

  it('a pod is known by the form of its uid, listed or not', () => {
    expect([UID, STATIC].map(isPodUid)).toEqual([true, true])
    const others = ['s', 'man', UID.toUpperCase(), `${UID}-x`, `../${UID}`, `../${STATIC}`, STATIC.slice(1)]
    expect(others.filter(isPodUid)).toEqual([])
  })

  it.each([
    [ID, ID],
    [`cri-containerd-${ID}.scope`, ID],
    [`crio-${ID}.scope`, ID],
    [`crio-${ID}`, ID],
    [`docker-${ID}.scope`, ID],
    [`libpod-${ID}.scope`, ID],
    [`crio-conmon-${ID}.scope`, undefined],
    [`crio-conmon-${ID}`, undefined],
    [ID.slice(1), undefined],
    [`${ID}.mount`, undefined],
    ['container', undefined],
    [`../${ID}`, undefined],
  ])('%s is the container %s', (name, id) => {
    expect(findContainerId(name)).toBe(id)
  })
})

describe('mountinfo', () => {
  const mounts = parseMountinfo(readRecorded('mountinfo.txt'))

  it('is read as the kernel writes it', () => {
    expect(mounts).toHaveLength(readRecorded('mountinfo.txt').trim().split('\n').length)
    expect(findMount(mounts, '/data')).toEqual({
      device: '259:1',
      root: '/',
      mountPoint: '/data',
      filesystem: 'ext4',
      source: '/dev/nvme0n1p1',
    })
  })

  it('has optional fields, or none, octal escapes, and an empty source', () => {
    const text = [
      '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/ro\\134ot rw,errors=continue',
      '37 35 98:1 / /plain rw - xfs /dev/sda1 rw',
      '38 35 0:9 / /none rw - tmpfs  rw',
      '39 35 0:9 / /cut rw - ',
      'nonsense',
    ].join('\n')
    expect(parseMountinfo(text)).toEqual([
      { device: '98:0', root: '/mnt1', mountPoint: '/mnt 2', filesystem: 'ext3', source: '/dev/ro\\ot' },
      { device: '98:1', root: '/', mountPoint: '/plain', filesystem: 'xfs', source: '/dev/sda1' },
      { device: '0:9', root: '/', mountPoint: '/none', filesystem: 'tmpfs', source: '' },
    ])
  })

  it('the last mount at a point hides the others, and the longest path covers', () => {
    const stacked = parseMountinfo(
      '1 0 8:1 / /data rw - ext4 /dev/sda1 rw\n2 0 8:2 / /data rw - ext4 /dev/sda2 rw\n3 0 8:0 / / rw - ext4 /dev/sda rw\n',
    )
    expect(findMount(stacked, '/data')?.device).toBe('8:2')
    expect(findCoveringMount(stacked, '/data/x')?.mountPoint).toBe('/data')
    expect(findCoveringMount(stacked, '/database')?.mountPoint).toBe('/')
    expect([withoutTrailingSlash('/data//'), withoutTrailingSlash('/')]).toEqual(['/data', '/'])
  })

  it.each([
    ['/data', { ok: true, value: { number: '259:1' } }],
    ['/data/', { ok: true, value: { number: '259:1' } }],
  ])('%s lies on a device', (path, expected) => {
    expect(findDevice(mounts, path)).toEqual(expected)
  })

  it.each([
    [
      '/data/sub',
      'DATA_MOUNT /data/sub',
      'is not a mount point; it lies on /data (/dev/nvme0n1p1)',
      'name the mount point of the disk to limit, or mount the disk there',
    ],
    [
      '/run',
      'DATA_MOUNT /run',
      'is tmpfs (tmpfs), which has no disk of its own on this node',
      'name a mount point whose filesystem lies on a local disk',
    ],
  ])('%s is refused in words', (path, field, reason, cure) => {
    expect(findDevice(mounts, path)).toEqual({ ok: false, problems: [{ field, reason, cure }] })
  })

  it('a folder that is mounted by itself may not be what was meant; a subvolume is', () => {
    const some = parseMountinfo(
      '1 0 8:1 /var/data /data rw - ext4 /dev/sda1 rw\n2 0 0:40 /@data /sub rw - btrfs /dev/sdb rw\n',
    )
    expect(findMountNotice(some, '/data/')).toBe(
      'DATA_MOUNT /data is the folder /var/data of a filesystem (ext4, /dev/sda1), whose disk is limited: where a disk of its own was to be there, it is not mounted',
    )
    expect(['/sub', '/none'].map((path) => findMountNotice(some, path))).toEqual([undefined, undefined])
    expect(findMountNotice(mounts, '/data')).toBeUndefined()
  })

  it('what has no number of its own goes by its source, where that is a device', () => {
    const odd = parseMountinfo(
      '5 0 0:44 / /c rw - bcachefs /dev/cciss/c0d0 rw\n6 0 0:45 / /up rw - btrfs /dev/../../etc rw\n1 0 0:40 / /b rw - btrfs /dev/nvme0n1p1 rw\n2 0 0:41 / /m rw - btrfs /dev/mapper/vg-data rw\n3 0 0:42 / /o rw - overlay overlay rw\n4 0 0:43 / /n rw - nfs4 server:/x rw',
    )
    expect(findDevice(odd, '/b')).toEqual({ ok: true, value: { name: 'nvme0n1p1' } })
    expect(findDevice(odd, '/m')).toEqual({ ok: true, value: { mapped: 'vg-data' } })
    expect(findDevice(odd, '/c')).toEqual({ ok: true, value: { name: 'cciss!c0d0' } })
    expect(findDevice(odd, '/up')).toEqual({ ok: true, value: { name: '..!..!etc' } })
    expect(findDevice(odd, '/o')).toMatchObject({
      problems: [{ reason: 'is overlay (overlay), which has no disk of its own on this node' }],
    })
    expect(findDevice(odd, '/n')).toMatchObject({
      problems: [{ reason: 'is nfs4 (server:/x), which has no disk of its own on this node' }],
    })
    expect(findDevice([], '/x')).toMatchObject({ problems: [{ reason: 'is not a mount point' }] })
  })
})

const caps: fc.Arbitrary<Caps> = fc.record(
  {
    readIOPS: fc.bigInt(2n, 2n ** 32n - 2n),
    writeIOPS: fc.bigInt(2n, 2n ** 32n - 2n),
    readBPS: fc.bigInt(2n, 2n ** 64n - 2n),
    writeBPS: fc.bigInt(2n, 2n ** 64n - 2n),
  },
  { requiredKeys: [] },
)

describe("the kernel's files", () => {
  it('io.max names all four keys, and a device without a line has no caps', () => {
    expect(formatIoMax('259:0', { readIOPS: 500n, writeBPS: 1048576n })).toBe(
      '259:0 rbps=max wbps=1048576 riops=500 wiops=max',
    )
    expect(formatIoMax('259:0', {})).toBe('259:0 rbps=max wbps=max riops=max wiops=max')
    const text = '8:0 rbps=1 wbps=2 riops=3 wiops=4\n259:0 rbps=max wbps=7 riops=max wiops=8 future=9\n'
    expect(parseIoMax(text, '259:0')).toEqual({ writeBPS: 7n, writeIOPS: 8n })
    expect([parseIoMax(text, '59:0'), parseIoMax('', '259:0')]).toEqual([{}, {}])
  })

  it('io.max says again what was written', () => {
    fc.assert(
      fc.property(caps, (given) => {
        expect(parseIoMax(`8:0 rbps=5\n${formatIoMax('259:0', given)}\n`, '259:0')).toEqual(given)
      }),
    )
  })

  it('v1 has a file a dimension, where 0 takes a line away', () => {
    expect([formatThrottle('7:0', 300n), formatThrottle('7:0', undefined)]).toEqual(['7:0 300', '7:0 0'])
    expect(parseThrottle('8:0 100\n7:0 300\n', '7:0')).toBe(300n)
    expect([
      parseThrottle('8:0 100\n', '7:0'),
      parseThrottle('7:0 0\n', '7:0'),
      parseThrottle('7:0 00\n', '7:0'),
      parseThrottle('', '7:0'),
      parseThrottle('7:0 100x\n', '7:0'),
      parseThrottle('7:0 Read 100\n', '7:0'),
    ]).toEqual(Array(6).fill(undefined))
  })

  it('are never asked for what the kernel refuses, whatever came past admission', () => {
    expect(
      capsOf({
        readIOPS: 1n as never,
        writeIOPS: (2n ** 40n) as never,
        readBPS: (2n ** 70n) as never,
        writeBPS: 'max',
      }),
    ).toEqual({
      readIOPS: 2n,
      writeIOPS: 2n ** 32n - 2n,
      readBPS: 2n ** 64n - 2n,
    })
  })
})

describe("the kubelet's pods", () => {
  it('are read as recorded', () => {
    const list = parsePodList(recordedPods())
    expect(list.ok && list.value.problems).toEqual([])
    expect(
      list.ok && list.value.pods.map(({ id, uid, containers }) => [id, uid, [...containers.values()]]),
    ).toEqual([
      ['default/db', UID, ['init', 'proxy', 'pg']],
      ['default/batch', '81914830-d223-4b36-87c5-ad1646bad374', ['c']],
      ['kube-system/exact', 'c1a47408-2112-4af4-9ac8-8445ea6548b1', ['c']],
      ['default/crash', 'fd996213-e99a-4971-b167-112ba325af8d', ['c']],
      ['kube-system/static-node-a', STATIC, ['c']],
    ])
  })

  it('of a static pod that came through the API go by its hash', () => {
    const annotations = { 'kubernetes.io/config.mirror': STATIC, 'kubernetes.io/config.hash': STATIC }
    const list = parsePodList({ items: [{ metadata: { namespace: 'n', name: 'p', uid: UID, annotations } }] })
    expect(list).toMatchObject({ ok: true, value: { pods: [{ uid: STATIC }] } })
    const odd = parsePodList({
      items: [
        {
          metadata: {
            namespace: 'n',
            name: 'p',
            uid: UID,
            annotations: { 'kubernetes.io/config.mirror': 'x' },
          },
        },
      ],
    })
    expect(odd).toMatchObject({ ok: true, value: { pods: [{ uid: UID }] } })
  })

  it("cannot take another pod's cgroup by naming its uid", () => {
    const podOf = (name: string, uid: string, annotations = {}) => ({
      metadata: { namespace: 'n', name, uid, annotations },
    })
    const thief = podOf('thief', 'own', {
      'kubernetes.io/config.mirror': 'x',
      'kubernetes.io/config.hash': UID,
    })
    const list = parsePodList({ items: [thief, podOf('a', UID), podOf('b', 'own'), podOf('c', UID)] })
    expect(list).toMatchObject({ ok: true, value: { pods: [{ id: 'n/a' }, { id: 'n/b' }] } })
    expect(list.ok && list.value.problems).toEqual(
      ['n/c', 'n/thief'].map((id) => ({
        field: `pod ${id}`,
        value: UID,
        reason: 'is the uid of pod n/a too, whose cgroup it names',
        cure: 'list each pod once, and no static pod under the uid of another',
      })),
    )
  })

  it('are running where the list says so', () => {
    const list = parsePodList({
      kind: 'List',
      items: ['Running', 'Pending', 5].map((phase, index) => ({
        metadata: { namespace: 'n', name: 'p', uid: `u${index}` },
        status: { phase },
      })),
    })
    expect(list.ok && list.value.pods.map(({ isRunning }) => isRunning)).toEqual([true, false, false])
  })

  it.each(['../../etc', 'u/../../etc', 'u.', 'u\n', '', 'u'.repeat(129)])('uid %j is none', (uid) => {
    const list = parsePodList({ items: [{ metadata: { namespace: 'n', name: 'a', uid } }] })
    expect(list.ok && list.value.pods).toEqual([])
    expect(list.ok && list.value.problems).toMatchObject([
      {
        field: 'PodList.items[0] (n/a).metadata.uid',
        reason: 'is not a uid',
        cure: 'give it as the API server does: letters, digits, dashes',
      },
    ])
  })

  it('that cannot be read are named, and the others go on', () => {
    const good = { metadata: { namespace: 'n', name: 'good', uid: 'u' }, status: { containerStatuses: null } }
    const list = parsePodList({
      items: [
        good,
        5,
        {},
        { metadata: { namespace: 'n', name: 'a', uid: '../../etc' } },
        { metadata: { namespace: 'n', name: 'b' } },
        { metadata: { namespace: 'n', uid: 'u' } },
        { metadata: { namespace: 'n', name: 'c', uid: 'u', annotations: { x: 5 } } },
        { metadata: { namespace: 'n', name: 'd', uid: 'u' }, status: 5 },
        { metadata: { namespace: 'n', name: 'g', uid: 'u' }, status: { containerStatuses: {} } },
        {
          metadata: { namespace: 'n', name: 'e', uid: 'u' },
          status: { containerStatuses: [5, { containerID: 'x' }] },
        },
        {
          metadata: { namespace: 'n', name: 'f', uid: 'v' },
          status: {
            initContainerStatuses: null,
            containerStatuses: [
              { name: 'x' },
              { name: 'y', containerID: '' },
              { name: 'z', containerID: 'cri-o://id' },
            ],
          },
        },
      ],
    })
    expect(list.ok && list.value.pods.map(({ id, containers }) => [id, [...containers]])).toEqual([
      ['n/good', []],
      ['n/f', [['id', 'z']]],
    ])
    expect(list.ok && list.value.problems.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
      'PodList.items[1] is a number, not a map',
      'PodList.items[2].metadata is missing, not a map',
      'PodList.items[3] (n/a).metadata.uid is not a uid',
      'PodList.items[4] (n/b).metadata.uid is missing, not a text',
      'PodList.items[5].metadata.name is missing, not a text',
      'PodList.items[6] (n/c).metadata.annotations.x is a number, not a text',
      'PodList.items[7] (n/d).status is a number, not a map',
      'PodList.items[8] (n/g).status.containerStatuses is a map, not a list',
      'PodList.items[9] (n/e).status.containerStatuses[0] is a number, not a map',
      'PodList.items[9] (n/e).status.containerStatuses[1].name is missing, not a text',
    ])
  })

  it.each([
    [null, 'PodList: is null, not a map; write a map of keys and values'],
    ['x', 'PodList: "x" is a text, not a map; write a map of keys and values'],
    [{}, 'PodList.items: is missing, not a list; write a list'],
    [{ items: 5 }, 'PodList.items: "5" is a number, not a list; write a list'],
    [
      { kind: 'Pod', metadata: {} },
      'PodList.kind: "Pod" is no list of pods; give the kubelet\'s answer to /pods',
    ],
  ])('%j is no list of pods', (given, message) => {
    const list = parsePodList(given)
    expect(list.ok ? [] : list.problems.map(formatProblem)).toEqual([message])
  })
})

const GROUP = {
  uid: UID,
  path: '/cg/pod',
  containers: [
    { id: 'a'.repeat(64), paths: ['/cg/pod/a', '/cg/pod/a/nested'] },
    { id: 'b'.repeat(64), paths: ['/cg/pod/b'] },
    { id: 'f'.repeat(64), paths: ['/cg/pod/sandbox'] },
  ],
}

const nodePod = (annotations: Record<string, string>) => ({
  id: 'n/p',
  uid: UID,
  isRunning: true,
  containers: new Map([
    ['a'.repeat(64), 'main'],
    ['b'.repeat(64), 'proxy'],
  ]),
  startable: ['main', 'proxy', 'late', 'later'],
  admitted: readAdmitted({ 'iops-limit/policy': 'gold/x', ...annotations }),
  defaulted: [],
  hasOwn: true,
})

function targetsOf(annotations: Record<string, string>, rules: Partial<Rules> = {}) {
  return findTargets(nodePod(annotations), GROUP, { version: 'v2', requireMark: true, ...rules }).map(
    ({ path, container, caps: found }) => [path, container, found],
  )
}

describe('targets', () => {
  it('of scope pod on v2: the pod has the limit, containers only their overrides', () => {
    expect(targetsOf({ 'iops-limit/limit': '500', 'container.iops-limit/proxy': 'read-iops=100' })).toEqual([
      ['/cg/pod', null, { readIOPS: 500n, writeIOPS: 500n }],
      ['/cg/pod/a', 'main', {}],
      ['/cg/pod/b', 'proxy', { readIOPS: 100n }],
    ])
  })

  it('of scope container on v2: each container has the limit, the pod none', () => {
    expect(
      targetsOf({
        'iops-limit/limit': '500',
        'iops-limit/scope': 'container',
        'container.iops-limit/proxy': 'read-iops=100,write-iops=max',
      }),
    ).toEqual([
      ['/cg/pod/a', 'main', { readIOPS: 500n, writeIOPS: 500n }],
      ['/cg/pod/b', 'proxy', { readIOPS: 100n }],
      ['/cg/pod', null, {}],
    ])
  })

  it('of exempt containers: none, and the scope is container', () => {
    expect(
      targetsOf({
        'iops-limit/limit': '500',
        'iops-limit/scope': 'pod',
        'iops-limit/exempt-containers': 'proxy',
      }),
    ).toEqual([
      ['/cg/pod/a', 'main', { readIOPS: 500n, writeIOPS: 500n }],
      ['/cg/pod/b', 'proxy', {}],
      ['/cg/pod', null, {}],
    ])
  })

  it('on v1: every container with what is nested in it, whatever the scope, and never the pod', () => {
    expect(targetsOf({ 'iops-limit/limit': '500' }, { version: 'v1' })).toEqual([
      ['/cg/pod/a', 'main', { readIOPS: 500n, writeIOPS: 500n }],
      ['/cg/pod/a/nested', 'main', { readIOPS: 500n, writeIOPS: 500n }],
      ['/cg/pod/b', 'proxy', { readIOPS: 500n, writeIOPS: 500n }],
    ])
  })

  it.each([
    [{ 'iops-limit/limit': '500' }, true],
    [{ 'container.iops-limit/proxy': 'read-iops=100' }, true],
    [{ 'iops-limit/limit': 'max' }, false],
    [{}, false],
  ])('%j: a cap is to be somewhere: %s', (annotations, expected) => {
    expect(isLimited(nodePod(annotations), { version: 'v2', requireMark: true })).toBe(expected)
  })

  it('of a pod without the mark carry nothing, unless it is not required', () => {
    const unmarked = { 'iops-limit/limit': '500', 'iops-limit/policy': undefined as unknown as string }
    expect(targetsOf(unmarked).map(([, , found]) => found)).toEqual([{}, {}, {}])
    expect(targetsOf(unmarked, { requireMark: false })[0]).toEqual([
      '/cg/pod',
      null,
      { readIOPS: 500n, writeIOPS: 500n },
    ])
  })
})

describe('containers that no status names yet', () => {
  const live = { isLive: true } as const
  const oldest = 'f'.repeat(64)
  const group = {
    ...GROUP,
    oldest,
    containers: [...GROUP.containers, { id: 'd'.repeat(64), paths: ['/cg/pod/d'] }],
  }
  const capsOfNew = (annotations: Record<string, string>, rules: Partial<Rules> = live) =>
    findTargets(nodePod(annotations), group, { version: 'v2', requireMark: true, ...rules })
      .filter(({ path }) => path === '/cg/pod/d' || path === '/cg/pod/sandbox')
      .map(({ path, container, caps: found }) => [path, container, found])

  it('are held to the least that any of those that may start is held to; the sandbox is not', () => {
    const each = { 'iops-limit/limit': '500', 'iops-limit/scope': 'container' }
    expect(capsOfNew(each)).toEqual([['/cg/pod/d', 'late or later', { readIOPS: 500n, writeIOPS: 500n }]])
    expect(capsOfNew({ ...each, 'container.iops-limit/later': 'read-iops=20,write-iops=900' })).toEqual([
      ['/cg/pod/d', 'late or later', { readIOPS: 20n, writeIOPS: 500n }],
    ])
    expect(capsOfNew({ 'iops-limit/read-bps': '1Mi' }, { version: 'v1', ...live })).toEqual([
      ['/cg/pod/d', 'late or later', { readBPS: 1_048_576n }],
    ])
  })

  it('are left alone where one of them is exempt, where the pod is held as a whole, and in a list that does not lag', () => {
    const each = { 'iops-limit/limit': '500', 'iops-limit/scope': 'container' }
    expect(capsOfNew({ ...each, 'iops-limit/exempt-containers': 'late' })).toEqual([
      ['/cg/pod/d', 'late or later', {}],
    ])
    expect(capsOfNew({ 'iops-limit/limit': '500', 'container.iops-limit/late': 'limit=5' })).toEqual([
      ['/cg/pod/d', 'late or later', {}],
    ])
    expect(capsOfNew(each, {})).toEqual([])
  })

  it('are asked about as long as there are any, and any that may start', () => {
    const rules: Rules = { version: 'v2', requireMark: true, ...live }
    const pod = nodePod({ 'iops-limit/limit': '500', 'iops-limit/scope': 'container' })
    const named = { ...GROUP, containers: GROUP.containers.slice(0, 2) }
    expect(findAwaited(pod, GROUP, rules)).toMatchObject({ ids: new Set([oldest]), isOpen: true })
    expect(findAwaited(pod, { ...GROUP, oldest }, rules)).toMatchObject({ ids: new Set(), isOpen: true })
    expect(findAwaited(pod, named, rules)).toMatchObject({ isOpen: false })
    expect(findAwaited({ ...pod, startable: ['main'] }, group, rules)).toMatchObject({ isOpen: false })
  })
})

describe("a pod's containers", () => {
  const read = (spec: unknown, status: unknown) => {
    const list = parsePodList({
      items: [{ metadata: { namespace: 'n', name: 'p', uid: 'u' }, spec, status }],
    })
    return list.ok ? list.value.pods[0]?.startable : undefined
  }
  const ended = (name: string, exitCode: number) => ({ name, state: { terminated: { exitCode } } })

  it('may start unless they have ended well and are not started anew', () => {
    const spec = {
      initContainers: [{ name: 'init' }, { name: 'retried' }],
      containers: [{ name: 'main' }, { name: 'other' }],
      ephemeralContainers: [{ name: 'debug' }],
    }
    const status = {
      initContainerStatuses: [ended('init', 0), ended('retried', 1)],
      containerStatuses: [ended('main', 0), { name: 'other', state: { waiting: {} } }],
    }
    expect(read(spec, status)).toEqual(['retried', 'main', 'other', 'debug'])
    expect(read({ ...spec, restartPolicy: 'Always' }, status)).toContain('main')
    expect(read({ ...spec, restartPolicy: 'Never' }, status)).toEqual(['retried', 'other', 'debug'])
  })

  it.each([
    [undefined],
    [null],
    [5],
    [{ containers: 5 }],
    [{ containers: [null, 5, {}, { name: 5 }] }],
    [{ __proto__: { containers: [{ name: 'x' }] } }],
  ])('of a spec %j are none', (spec) => {
    expect(read(spec, undefined)).toEqual([])
  })

  it.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ 'iops-limit/limit': '5', 'iops-limit/defaulted': 'limit' }, false],
    [{ 'iops-limit/limit': '5' }, true],
    [{ 'iops-limit/limit': '5', 'iops-limit/read-bps': '5', 'iops-limit/defaulted': 'limit' }, true],
    [{ 'container.iops-limit/main': 'limit=5' }, true],
  ])('whose own limit stands: %j', (annotations, hasOwn) => {
    const metadata = { namespace: 'n', name: 'p', uid: 'u', annotations }
    expect(parsePod({ metadata }).claim?.pod.hasOwn).toBe(hasOwn)
  })

  it('and whose limits they are: keys that a policy filled in', () => {
    const reading = parsePod({
      metadata: {
        namespace: 'n',
        name: 'p',
        uid: 'u',
        annotations: { 'iops-limit/defaulted': 'limit, bps' },
      },
    })
    expect(reading).toMatchObject({
      claim: { pod: { id: 'n/p', defaulted: ['limit', 'bps'] } },
      problems: [],
    })
    expect(parsePod(5).problems.map(formatProblem)).toEqual([
      'Pod: "5" is a number, not a map; write a map of keys and values',
    ])
  })
})

describe('where pods appear', () => {
  it.each([
    ['/sys/fs/cgroup/kubepods', true],
    ['/sys/fs/cgroup/kubepods/besteffort', true],
    ['/c/kubepods.slice/kubepods-burstable.slice', true],
    ['/c/kubelet.slice/kubelet-kubepods.slice', true],
    ['/c/a_b.slice/a_b-kubepods-besteffort.slice', true],
    ['/c/kubepods.slice/kubepods-podu.slice', false],
    ['/c/system.slice', false],
    ['/c/mykubepods', false],
    ['/c/burstable', false],
  ])('%s: %s', (path, expected) => {
    expect(isPodParent(path)).toBe(expected)
  })
})

describe('disks by name', () => {
  it.each([
    ['259:0', { number: '259:0' }],
    ['nvme0n1', { name: 'nvme0n1' }],
    ['/dev/sda', { name: 'sda' }],
    ['/dev/mapper/vg-data', { mapped: 'vg-data' }],
    ['259:10', { number: '259:10' }],
    ['x259:0', { name: 'x259:0' }],
    ['259:0p1', { name: '259:0p1' }],
    ['/host/dev/sda', { name: '/host/dev/sda' }],
  ])('%s', (text, reference) => {
    expect(parseDeviceName(text)).toEqual(reference)
  })
})

describe('what the kernel counts', () => {
  it('v2: io.stat, as recorded', () => {
    const text = '259:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n254:0 \n'
    expect(parseIoStat(text, '259:0')).toEqual({
      readBytes: 4096n,
      writtenBytes: 8192n,
      reads: 1n,
      writes: 2n,
    })
    expect(parseIoStat(text, '254:0')).toEqual({ readBytes: 0n, writtenBytes: 0n, reads: 0n, writes: 0n })
    expect(parseIoStat(text, '259:1')).toBeUndefined()
  })

  it('v1: a line for each kind', () => {
    const bytes = '8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n'
    const operations = '8:0 Read 1\n8:0 Write 2\n'
    expect(parseServiced(bytes, operations, '8:0')).toEqual({
      readBytes: 4096n,
      writtenBytes: 8192n,
      reads: 1n,
      writes: 2n,
    })
    expect(parseServiced('', operations, '8:0')).toMatchObject({ readBytes: 0n, reads: 1n })
    expect(parseServiced('', '', '8:0')).toBeUndefined()
  })

  it('pressure, in seconds', () => {
    const text =
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=250000\n'
    expect(parsePressure(text)).toEqual({ some: 1.5, full: 0.25 })
    const parts = ['', 'some total=1\n', 'full total=1\n', 'awesome total=1\nfull total=1\n']
    expect(parts.map(parsePressure)).toEqual(Array(4).fill(undefined))
  })
})

/** What a kernel would hold after a write: one line a device. */
function carryOut(texts: Map<string, string>, file: string, value: string): void {
  const [device = ''] = value.split(' ')
  const others = (texts.get(file) ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(`${device} `))
  const isRemoval = / 0$|rbps=max wbps=max riops=max wiops=max$/.test(value)
  texts.set(file, [...others, ...(isRemoval ? [] : [value])].map((line) => `${line}\n`).join(''))
}

describe('a plan', () => {
  const target = { pod: 'n/p', container: null, path: '/cg/pod', caps: { readIOPS: 500n } }
  const planOf = (state: FileState, caps_: Caps = target.caps, devices = ['259:0']) =>
    planWrites([{ ...target, caps: caps_ }], {
      version: 'v2',
      devices,
      snapshot: new Map([['/cg/pod/io.max', state]]),
    })

  it('writes on each disk what does not hold yet, and nothing else', () => {
    expect(
      planOf({ text: '8:0 rbps=1 wbps=max riops=max wiops=max\n' }, target.caps, [
        '259:0',
        '259:5',
      ]).writes.map(({ value }) => value),
    ).toEqual(['259:0 rbps=max wbps=max riops=500 wiops=max', '259:5 rbps=max wbps=max riops=500 wiops=max'])
    expect(planOf({ text: '259:0 rbps=max wbps=max riops=500 wiops=max\n' }).writes).toEqual([])
    expect(planOf({ text: '259:0 rbps=5 wbps=max riops=500 wiops=max\n' }).writes).toHaveLength(1)
  })

  it('takes away what is not to be', () => {
    expect(
      planOf(
        { text: '259:0 rbps=5 wbps=max riops=max wiops=max\n8:0 rbps=1 wbps=max riops=max wiops=max' },
        {},
      ).writes,
    ).toEqual([
      {
        pod: 'n/p',
        container: null,
        path: '/cg/pod/io.max',
        value: '259:0 rbps=max wbps=max riops=max wiops=max',
      },
    ])
    expect(planOf({ text: '' }, {}).writes).toEqual([])
  })

  it('names the file that does not enable the io controller, and what lies between', () => {
    const cureOf = (disabledBy: string) => planOf({ disabledBy }).problems.map(formatProblem)
    expect(cureOf('/cg/cgroup.subtree_control')).toEqual([
      'pod n/p: /cg/pod/io.max does not exist: /cg/cgroup.subtree_control does not enable the io controller; enable it: echo +io > /cg/cgroup.subtree_control',
    ])
    expect(cureOf('/cgroup.subtree_control')).toEqual([
      'pod n/p: /cg/pod/io.max does not exist: /cgroup.subtree_control does not enable the io controller; enable it there (echo +io > /cgroup.subtree_control) and in each directory below, down to /cg/cgroup.subtree_control',
    ])
  })

  it('passes over what has ended, and says where the file is missing and how to get it', () => {
    expect(planOf('no-directory')).toEqual({ writes: [], problems: [] })
    expect(planWrites([target], { version: 'v2', devices: ['259:0'], snapshot: new Map() })).toEqual({
      writes: [],
      problems: [],
    })
    expect(planOf('no-file', {})).toEqual({ writes: [], problems: [] })
    expect(planOf('no-file').problems).toEqual([
      {
        field: 'pod n/p',
        reason: '/cg/pod/io.max does not exist, so nothing can be limited there',
        cure: 'enable the io controller for it (echo +io > /cg/cgroup.subtree_control) and in every directory above; where it is enabled, the kernel lacks CONFIG_BLK_DEV_THROTTLING',
      },
    ])
    expect(planOf({ failure: 'EIO: i/o error, read' }).problems.map(formatProblem)).toEqual([
      'pod n/p: /cg/pod/io.max cannot be read: EIO: i/o error, read; run as root, with the cgroup filesystem mounted read-write',
    ])
    const v1 = planWrites([{ ...target, container: 'pg' }], {
      version: 'v1',
      devices: ['259:0'],
      snapshot: new Map(filesOf([target], 'v1').map((file) => [file, 'no-file' as const])),
    })
    expect(v1.problems[0]?.field).toBe('pod n/p, container pg')
    expect(v1.problems.map(({ cure }) => cure)).toEqual(
      Array(4).fill(
        'use a kernel with CONFIG_BLK_DEV_THROTTLING, or set CGROUP_VERSION where the detected version is wrong',
      ),
    )
  })

  it('carried out plans nothing more, and leaves the lines of other devices as they are', () => {
    const line = fc.tuple(fc.constantFrom('8:0', '259:0', '259:5'), caps)
    fc.assert(
      fc.property(
        fc.constantFrom('v1' as const, 'v2' as const),
        fc.array(line),
        fc.array(caps, { minLength: 1, maxLength: 3 }),
        (version, before, wanted) => {
          const targets = wanted.map((found, index) => ({ ...target, path: `/cg/${index}`, caps: found }))
          const texts = new Map<string, string>(filesOf(targets, version).map((file) => [file, '']))
          for (const [device, found] of before) {
            for (const file of texts.keys()) {
              const dimension = DIMENSIONS.find(
                (name) =>
                  file.includes(name.startsWith('read') ? 'read' : 'write') &&
                  file.includes(name.endsWith('IOPS') ? 'iops' : 'bps'),
              )
              carryOut(
                texts,
                file,
                version === 'v2'
                  ? formatIoMax(device, found)
                  : formatThrottle(device, dimension && found[dimension]),
              )
            }
          }
          const others = [...texts.values()].map((text) =>
            text.split('\n').filter((candidate) => candidate.startsWith('8:0 ')),
          )
          const snapshot = () => new Map([...texts].map(([file, text]) => [file, { text }]))
          const scene = { version, devices: ['259:0', '259:5'] }
          for (const { path, value } of planWrites(targets, { ...scene, snapshot: snapshot() }).writes)
            carryOut(texts, path, value)
          expect(planWrites(targets, { ...scene, snapshot: snapshot() })).toEqual({
            writes: [],
            problems: [],
          })
          expect(
            [...texts.values()].map((text) =>
              text.split('\n').filter((candidate) => candidate.startsWith('8:0 ')),
            ),
          ).toEqual(others)
        },
      ),
    )
  })
})
