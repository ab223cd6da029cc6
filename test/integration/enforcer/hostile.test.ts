/** Pods as their owners, or whoever stands in the way of the list, would like them to be: real passes over fuzzed lists. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStandInNode, type GrowingNode } from '../../support/kernel/recordedNode.ts'
import { runEnforcer, writePods } from '../../support/kernel/runEnforcer.ts'
import { createRandom, type Random, runSeed } from '../../support/random.ts'

const [RUNS, PODS_A_RUN] = [100, 100]
const PODS = 40

const uidOf = (index: number): string => `0a1b2c3d-1111-4222-8333-${index.toString(16).padStart(12, '0')}`
const idOf = (index: number): string => index.toString(16).padStart(64, '0')
const folderOf = (index: number): string => `kubepods/burstable/pod${uidOf(index)}`

let node: GrowingNode
beforeAll(() => {
  node = createStandInNode()
  for (let index = 0; index < PODS; index++)
    for (const group of ['', `/${idOf(index)}`, `/${idOf(index)}/nested`])
      node.addV2(`${folderOf(index)}${group}`)
  for (const group of ['system.slice/db.service', 'kubepods/podx', 'kubepods.slice/io.max.slice'])
    node.addV2(group)
})
afterAll(() => node.dispose())

const PATHS = [
  '../../../etc',
  '/etc/passwd',
  '..',
  '.',
  '*',
  'kubepods',
  '',
  '\0',
  'a/b',
  '%2e%2e',
  'x'.repeat(4096),
]
const VALUES = [
  ...['5', '0', '-1', '1', 'max', '9'.repeat(400), '1e9', '0x10', '5\n8:0 riops=1', '5 8:0 wiops=1', '١٢'],
  ...['1Ki', '', ' ', 'NaN', '__proto__', '𝟝', '\u0000', 'x'.repeat(100_000), '100', '4294967296'],
]
const KEYS = [
  ...['limit', 'read-iops', 'write-iops', 'bps', 'read-bps', 'write-bps', 'scope', 'defaulted'].map(
    (name) => `iops-limit/${name}`,
  ),
  ...['container.iops-limit/main', 'container.iops-limit/../x', 'iops-limit/exempt-containers', '__proto__'],
  ...['constructor', 'kubernetes.io/config.hash', 'kubernetes.io/config.mirror'],
]
const JUNK: readonly unknown[] = [null, 5, true, '', [], {}, [[]], 'x'.repeat(10_000)]

/** One in so many is something else altogether. */
const orJunk = (random: Random, one: number, value: unknown): unknown =>
  random.below(one) === 0 ? random.pick(JUNK) : value

function createPod(random: Random, index: number): unknown {
  const own = random.below(PODS)
  const uid = random.below(4) === 0 ? random.pick([...PATHS, uidOf(random.below(PODS))]) : uidOf(own)
  const id = random.below(4) === 0 ? random.pick([...PATHS, idOf(random.below(PODS))]) : idOf(own)
  const annotations = Object.fromEntries(
    Array.from({ length: random.below(8) }, () => [
      random.pick(KEYS),
      orJunk(random, 20, random.pick([...VALUES, ...PATHS, 'container', 'pod', uidOf(random.below(PODS))])),
    ]),
  )
  const name = random.below(10) === 0 ? random.pick(PATHS) : `pod-${index}`
  return orJunk(random, 50, {
    metadata: orJunk(random, 50, {
      ...{ namespace: orJunk(random, 50, 'team'), name, uid: orJunk(random, 50, uid) },
      annotations: orJunk(random, 50, { 'iops-limit/policy': 'gold/x', ...annotations }),
    }),
    spec: orJunk(random, 30, { containers: orJunk(random, 30, [{ name: orJunk(random, 30, 'main') }]) }),
    status: orJunk(random, 30, {
      phase: 'Running',
      containerStatuses: orJunk(random, 30, [
        orJunk(random, 30, { name: 'main', containerID: orJunk(random, 30, `containerd://${id}`) }),
      ]),
    }),
  })
}

/** Every file below the folder, with its text. */
function readTree(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => statSync(path.join(folder, file)).isFile())
      .map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]),
  )
}

const LINE = /^259:0 rbps=(max|\d+) wbps=(max|\d+) riops=(max|\d+) wiops=(max|\d+)$/
const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Uids that the API server, whose field it is, gave to a pod of this name; and those that its static pods go by. */
function findUids(list: readonly unknown[], name: string): readonly unknown[] {
  return list.flatMap((pod) => {
    const metadata = isMap(pod) && isMap(pod['metadata']) ? pod['metadata'] : {}
    if (['namespace', 'name'].map((key) => metadata[key]).join('/') !== name) return []
    const annotations = isMap(metadata['annotations']) ? metadata['annotations'] : {}
    const isMirror = annotations['kubernetes.io/config.mirror'] !== undefined
    return [metadata['uid'], ...(isMirror ? [annotations['kubernetes.io/config.hash']] : [])]
  })
}

describe('10,000 fuzzed pods', () => {
  it('lead to no write outside of the cgroups of the pod whose limit it is, to no new file, and to no crash', async () => {
    const seed = runSeed()
    const random = createRandom(seed)
    const before = readTree(node.folder)
    let written = 0
    for (let run = 0; run < RUNS; run++) {
      const items = Array.from({ length: PODS_A_RUN }, (_, index) => createPod(random, index))
      const file = writePods(node.folder, { kind: 'PodList', items })
      const { status, log } = await runEnforcer(['--pods-file', file, '--plan'], { env: node.env })
      expect(status, `seed ${seed}, run ${run}`).toBeLessThanOrEqual(1)
      expect(log.filter(({ err }) => err !== undefined)).toEqual([])
      const { out } = await runEnforcer(['--pods-file', file, '--plan'], { env: node.env })
      const planned = out.split('\n').filter((line) => line !== '')
      for (const line of planned) {
        const { pod, path: target, value } = JSON.parse(line) as Record<'pod' | 'path' | 'value', string>
        const [, uid] = /^kubepods\/burstable\/pod([^/]+)(?:\/[0-9a-f]{64})?\/io\.max$/.exec(
          path.relative(node.cgroup(), target),
        ) ?? [target]
        expect(findUids(items, pod), `seed ${seed}, run ${run}`).toContain(uid)
        expect(value, `seed ${seed}, run ${run}`).toMatch(LINE)
      }
      const made = await runEnforcer(['--pods-file', file, '--once', '--log-level', 'info'], {
        env: node.env,
      })
      expect(made.log.at(-1), `seed ${seed}, run ${run}`).toMatchObject({
        msg: 'pass',
        written: planned.length,
      })
      written += planned.length
    }
    expect(written).toBeGreaterThan(RUNS)
    const after = readTree(node.folder)
    expect([...after.keys()].filter((file) => file !== 'pods.json' && !before.has(file))).toEqual([])
    for (const [file, text] of after) {
      if (/^cgroup\/kubepods\/burstable\/pod[^/]+\/(?:[0-9a-f]{64}\/)?io\.max$/.test(file))
        expect(text === '' || LINE.test(text), `${file} after seed ${seed}`).toBe(true)
      else if (file !== 'pods.json') expect([file, text]).toEqual([file, before.get(file)])
    }
  }, 120_000)

  it('an annotation of a megabyte, and a list of ten thousand, are read like others', async () => {
    const podOf = (index: number, limit: string) => ({
      metadata: {
        ...{ namespace: 'team', name: `pod-${index}`, uid: uidOf(index) },
        annotations: { 'iops-limit/policy': 'gold/x', 'iops-limit/limit': limit },
      },
    })
    const items = Array.from({ length: 10_000 }, (_, index) =>
      podOf(index, index === 1 ? '7'.repeat(2 ** 20) : '77'),
    )
    writeFileSync(node.cgroup(folderOf(0), 'io.max'), '')
    writeFileSync(node.cgroup(folderOf(1), 'io.max'), '')
    const { status, log } = await runEnforcer(['--pods-file', writePods(node.folder, { items }), '--once'], {
      env: node.env,
    })
    expect([status, log.at(-1)?.['limited']]).toEqual([1, 9_999])
    expect(readFileSync(node.cgroup(folderOf(0), 'io.max'), 'utf8')).toContain('riops=77 wiops=77')
    expect(readFileSync(node.cgroup(folderOf(1), 'io.max'), 'utf8')).toBe('')
    expect(Math.max(...log.map(({ msg }) => msg.length))).toBeLessThan(1_000)
  })
})
