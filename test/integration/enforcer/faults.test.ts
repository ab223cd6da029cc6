/** What goes wrong on a node, one thing at a time: limits stay, it is said, and all is well again by itself. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { issueLeaf } from '../../../certs/issue.ts'
import { createKeys, LEAF_BITS } from '../../../certs/keys.ts'
import { messageOf } from '../../../contract/problem.ts'
import { createTestAuthority } from '../../support/https/certificates.ts'
import { createStandInNode } from '../../support/kernel/recordedNode.ts'
import { type RunningEnforcer, readMetric, readPage } from '../../support/kernel/runEnforcer.ts'
import { createScene, listOf, podOf, reasonsOf, type Scene } from '../../support/kernel/scene.ts'
import { type Answer, json, standInEnv, startStandIn } from '../../support/kernel/standIns.ts'
import { requirement } from '../../support/requirement.ts'

const NOBODY = 'nobody tells of pods any more: limits stay as they are'

let scene: Scene

beforeEach(async () => {
  scene = await createScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

const holds = async (limit: string) =>
  await expect.poll(scene.held, { timeout: 15_000, interval: 5 }).toBe(limit)
const messages = (enforcer: RunningEnforcer): readonly string[] => enforcer.log.map(({ msg }) => msg)
const says = async (enforcer: RunningEnforcer, text: string) =>
  await expect.poll(() => messages(enforcer).join('\n'), { timeout: 15_000 }).toContain(text)
const reasons = (enforcer: RunningEnforcer): string => reasonsOf(enforcer).join('\n')

/** Somebody resets the limit, which has to come back though nobody tells of pods. */
async function repairs(limit: string): Promise<void> {
  writeFileSync(scene.file, '')
  await holds(limit)
}

describe('an API server that', () => {
  it.each<[string, Answer, string]>([
    ['says 401', json({ message: 'Unauthorized' }, 401), '(HTTP 401); grant "list" and "watch" on pods'],
    ['says 403', json({ message: 'pods is forbidden' }, 403), 'pods is forbidden (HTTP 403)'],
    ['says 410', json({ message: 'too old', reason: 'Expired' }, 410), 'too old (HTTP 410)'],
    ['says 429', (_, response) => response.writeHead(429, { 'retry-after': '1' }).end(), 'HTTP 429'],
    ['says 500', (_, response) => response.writeHead(500).end('oops'), 'oops (HTTP 500)'],
    ['gives half an answer', (_, response) => response.end('{"kind":"PodList","items":[{"meta'), 'JSON'],
    [
      'breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"kind"')
        setTimeout(() => response.destroy(), 20)
      },
      'does not tell this node',
    ],
  ])('%s: the limit stays, is repaired, and follows again', async (_, answer, reason) => {
    scene.api.answer = answer
    const enforcer = scene.start({ POD_SOURCE: 'apiserver' })
    await says(enforcer, 'nobody tells of pods yet')
    expect(reasons(enforcer)).toContain(reason)
    scene.api.answer = scene.pods.answer
    await holds('500')
    scene.api.answer = answer
    // Its watch ends such that it has to be listed anew.
    scene.pods.breakWatches({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
    await says(enforcer, NOBODY)
    await repairs('500')
    expect((await readPage(enforcer, '/healthz')).text).toBe('ok\n')
    scene.api.answer = scene.pods.answer
    scene.pods.put(podOf('600'))
    await holds('600')
    expect(messages(enforcer).filter((message) => message === NOBODY)).toHaveLength(1)
  })

  it('shows a certificate that has expired: it is refused, until it has a new one', async () => {
    const authority = await createTestAuthority()
    const keys = await createKeys(LEAF_BITS)
    const names = { dns: ['localhost'], ips: ['127.0.0.1'] }
    const effects = { now: new Date(), random: randomBytes }
    const { certificate } = issueLeaf({ names, days: -0.01 }, keys, authority, effects)
    const given = { ca: authority.certificate, cert: certificate, key: keys.privateKey }
    const expired = scene.keep(await startStandIn(scene.pods.answer, given))
    const enforcer = scene.start({
      ...standInEnv(undefined, expired),
      SERVICE_ACCOUNT_PATH: expired.account,
      POD_SOURCE: 'apiserver',
    })
    await says(enforcer, 'nobody tells of pods yet')
    expect(reasons(enforcer)).toContain('certificate has expired')
    expect(scene.held()).toBe('')
  })
})

describe('the kubelet and the API server', () => {
  it('both hang: passes go on without them, and what they tell later holds', async () => {
    const enforcer = scene.start()
    await holds('100')
    const [waiting, silent]: [(() => void)[], Answer] = [
      [],
      (_, response) => waiting.push(() => response.destroy()),
    ]
    scene.kubelet.answer = silent
    scene.api.answer = silent
    const before = await readMetric(enforcer, /pass_seconds_count (\d+)/)
    await repairs('100')
    await says(enforcer, NOBODY)
    expect(reasons(enforcer)).toContain('no whole answer within 5000 ms')
    expect(await readMetric(enforcer, /pass_seconds_count (\d+)/)).toBeGreaterThan(before)
    expect((await readPage(enforcer, '/healthz')).text).toBe('ok\n')
    scene.kubelet.answer = json(listOf('200'))
    for (const end of waiting) end()
    await holds('200')
  }, 60_000)
})

describe('the clock of the wall', () => {
  it('may jump by years either way', async () => {
    let offset = 0
    const enforcer = scene.start({}, { now: () => new Date(Date.now() + offset) })
    await holds('100')
    for (const [jump, limit] of [
      [-10, '110'],
      [10, '120'],
      [0, '130'],
    ] as const) {
      offset = jump * 365 * 86_400_000
      await repairs(scene.held())
      scene.kubelet.answer = json(listOf(limit))
      await holds(limit)
      expect((await readPage(enforcer, '/readyz')).text).toBe('ok\n')
    }
    expect(messages(enforcer).filter((message) => message.includes('nobody'))).toEqual([])
  })
})

describe('a disk', () => {
  it('that goes is said, leaves the other one limited, and is limited when it is back', async () => {
    const enforcer = scene.start({ DEVICE: 'vda', DATA_MOUNT: '/data' })
    await says(enforcer, 'pods come from the kubelet')
    const written = (device: string): number =>
      enforcer.log.filter(({ value }) => String(value).startsWith(`${device} rbps`)).length
    await expect.poll(() => [written('259:0'), written('254:0')].every((count) => count > 0)).toBe(true)
    const [link, away] = ['259:1', 'gone'].map((name) =>
      path.join(scene.node.folder, 'sys/dev/block', name),
    ) as [string, string]
    const whole = path.join(scene.node.folder, 'sys/dev/block/259:0')
    renameSync(link, away)
    renameSync(whole, `${away}-whole`)
    await says(enforcer, 'DATA_MOUNT /data: lies on ')
    scene.kubelet.answer = json(listOf('200'))
    const before = written('254:0')
    await expect.poll(() => written('254:0')).toBeGreaterThan(before)
    expect((await readPage(enforcer, '/readyz')).text).toBe('ok\n')
    renameSync(away, link)
    renameSync(`${away}-whole`, whole)
    const lines = () => enforcer.log.map(({ value }) => String(value))
    await expect.poll(lines).toContain('259:0 rbps=max wbps=max riops=200 wiops=200')
  })
})

/** Why nothing can be mounted here; undefined where it can. */
function findObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting needs root on Linux'
  const trial = createStandInNode()
  try {
    mountReadOnly(trial.cgroup())
    execFileSync('umount', [trial.cgroup()])
    return undefined
  } catch (error) {
    return messageOf(error)
  } finally {
    trial.dispose()
  }
}

function mountReadOnly(folder: string): void {
  execFileSync('mount', ['--bind', folder, folder])
  execFileSync('mount', ['-o', 'remount,bind,ro', folder])
}

describe.runIf(requirement('a read-only mount', findObstacle()))('a cgroup filesystem', () => {
  it('that is read-only is said with its cure, tried again, and written to when it is not', async () => {
    mountReadOnly(scene.node.cgroup())
    try {
      const enforcer = scene.start()
      await says(enforcer, 'EROFS')
      expect(messages(enforcer).filter((message) => message.includes('EROFS'))).toEqual([
        expect.stringMatching(
          /^pod team\/db: "259:0 rbps=max wbps=max riops=100 wiops=100" could not be written to .*io\.max: EROFS: .*; mount \/sys\/fs\/cgroup read-write into the container$/,
        ),
      ])
      expect(await readMetric(enforcer, /errors_total\{cause="EROFS"\} (\d+)/)).toBeGreaterThan(0)
      expect(await readMetric(enforcer, /pods\{state="failing"\} (\d+)/)).toBe(1)
      execFileSync('mount', ['-o', 'remount,bind,rw', scene.node.cgroup()])
      await holds('100')
      await expect.poll(() => readMetric(enforcer, /pods\{state="limited"\} (\d+)/)).toBe(1)
    } finally {
      execFileSync('umount', ['-l', scene.node.cgroup()])
    }
  })
})
