/** What goes wrong on a node, one thing at a time: limits stay, it is said, and all is well again by itself. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { issueLeaf } from '../../../certs/issue.ts'
import { createKeys, LEAF_BITS } from '../../../certs/keys.ts'
import { messageOf } from '../../../contract/problem.ts'
import { createTestAuthority } from '../../support/https/certificates.ts'
import { createStandInNode, type GrowingNode } from '../../support/kernel/recordedNode.ts'
import { type RunningEnforcer, type RunOptions, startEnforcer } from '../../support/kernel/runEnforcer.ts'
import {
  type Answer,
  type ApiStandIn,
  createApiStandIn,
  json,
  type StandIn,
  standInEnv,
  startStandIn,
} from '../../support/kernel/standIns.ts'
import { requirement } from '../../support/requirement.ts'

const UID = '0a1b2c3d-1111-4222-8333-444455556666'
const POD = `kubepods/pod${UID}`
const NOBODY = 'nobody tells of pods any more: limits stay as they are'

const podOf = (limit: string) => ({
  metadata: {
    ...{ namespace: 'team', name: 'db', uid: UID },
    annotations: { 'iops-limit/policy': 'gold/x', 'iops-limit/limit': limit },
  },
  spec: { containers: [{ name: 'pg' }] },
  status: { phase: 'Running' },
})
const listOf = (limit: string) => ({ kind: 'PodList', items: [podOf(limit)] })

let node: GrowingNode
let kubelet: StandIn
let api: StandIn
let pods: ApiStandIn
const made: AsyncDisposable[] = []

beforeEach(async () => {
  node = createStandInNode()
  node.addV2(POD)
  pods = createApiStandIn(podOf('500'))
  made.push((kubelet = await startStandIn(json(listOf('100')))))
  made.push((api = await startStandIn((request, response) => pods.answer(request, response))))
})
afterEach(async () => {
  for (const thing of made.splice(0).toReversed()) await thing[Symbol.asyncDispose]()
  node.dispose()
})

function start(env: Record<string, string> = {}, options: Omit<RunOptions, 'env'> = {}): RunningEnforcer {
  const enforcer = startEnforcer(['--check-interval', '100ms'], {
    env: { ...node.env, ...standInEnv(kubelet, api), ...env },
    ...options,
  })
  made.push(enforcer)
  return enforcer
}

const file = (): string => node.cgroup(POD, 'io.max')
const held = (): string => /riops=(\w+)/.exec(readFileSync(file(), 'utf8'))?.[1] ?? ''
const holds = async (limit: string) => await expect.poll(held, { timeout: 15_000, interval: 5 }).toBe(limit)
const messages = (enforcer: RunningEnforcer): readonly string[] => enforcer.log.map(({ msg }) => msg)
const says = async (enforcer: RunningEnforcer, text: string) =>
  await expect.poll(() => messages(enforcer).join('\n'), { timeout: 15_000 }).toContain(text)
const reasons = (enforcer: RunningEnforcer): string =>
  enforcer.log.flatMap(({ because }) => (Array.isArray(because) ? (because as string[]) : [])).join('\n')
const page = async (enforcer: RunningEnforcer, name: string) => {
  const response = await fetch(`${await enforcer.origin()}${name}`)
  return { status: response.status, text: await response.text() }
}
const counts = async (enforcer: RunningEnforcer, line: RegExp): Promise<number> =>
  Number(line.exec((await page(enforcer, '/metrics')).text)?.[1])

/** Somebody resets the limit, which has to come back though nobody tells of pods. */
async function repairs(limit: string): Promise<void> {
  writeFileSync(file(), '')
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
    api.answer = answer
    const enforcer = start({ POD_SOURCE: 'apiserver' })
    await says(enforcer, 'nobody tells of pods yet')
    expect(reasons(enforcer)).toContain(reason)
    api.answer = pods.answer
    await holds('500')
    api.answer = answer
    // Its watch ends such that it has to be listed anew.
    pods.breakWatches({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
    await says(enforcer, NOBODY)
    await repairs('500')
    expect((await page(enforcer, '/healthz')).text).toBe('ok\n')
    api.answer = pods.answer
    pods.put(podOf('600'))
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
    const expired = await startStandIn(pods.answer, given)
    made.push(expired)
    const enforcer = start({
      ...standInEnv(undefined, expired),
      SERVICE_ACCOUNT_PATH: expired.account,
      POD_SOURCE: 'apiserver',
    })
    await says(enforcer, 'nobody tells of pods yet')
    expect(reasons(enforcer)).toContain('certificate has expired')
    expect(held()).toBe('')
  })
})

describe('the kubelet and the API server', () => {
  it('both hang: passes go on without them, and what they tell later holds', async () => {
    const enforcer = start()
    await holds('100')
    const [waiting, silent]: [(() => void)[], Answer] = [
      [],
      (_, response) => waiting.push(() => response.destroy()),
    ]
    kubelet.answer = silent
    api.answer = silent
    const before = await counts(enforcer, /pass_seconds_count (\d+)/)
    await repairs('100')
    await says(enforcer, NOBODY)
    expect(reasons(enforcer)).toContain('no whole answer within 5000 ms')
    expect(await counts(enforcer, /pass_seconds_count (\d+)/)).toBeGreaterThan(before)
    expect((await page(enforcer, '/healthz')).text).toBe('ok\n')
    kubelet.answer = json(listOf('200'))
    for (const end of waiting) end()
    await holds('200')
  }, 60_000)
})

describe('the clock of the wall', () => {
  it('may jump by years either way', async () => {
    let offset = 0
    const enforcer = start({}, { now: () => new Date(Date.now() + offset) })
    await holds('100')
    for (const [jump, limit] of [
      [-10, '110'],
      [10, '120'],
      [0, '130'],
    ] as const) {
      offset = jump * 365 * 86_400_000
      await repairs(held())
      kubelet.answer = json(listOf(limit))
      await holds(limit)
      expect((await page(enforcer, '/readyz')).text).toBe('ok\n')
    }
    expect(messages(enforcer).filter((message) => message.includes('nobody'))).toEqual([])
  })
})

describe('a disk', () => {
  it('that goes is said, leaves the other one limited, and is limited when it is back', async () => {
    const enforcer = start({ DEVICE: 'vda', DATA_MOUNT: '/data' })
    await says(enforcer, 'pods come from the kubelet')
    const written = (device: string): number =>
      enforcer.log.filter(({ value }) => String(value).startsWith(`${device} rbps`)).length
    await expect.poll(() => [written('259:0'), written('254:0')].every((count) => count > 0)).toBe(true)
    const [link, away] = ['259:1', 'gone'].map((name) => path.join(node.folder, 'sys/dev/block', name)) as [
      string,
      string,
    ]
    const whole = path.join(node.folder, 'sys/dev/block/259:0')
    renameSync(link, away)
    renameSync(whole, `${away}-whole`)
    await says(enforcer, 'DATA_MOUNT /data: lies on ')
    kubelet.answer = json(listOf('200'))
    const before = written('254:0')
    await expect.poll(() => written('254:0')).toBeGreaterThan(before)
    expect((await page(enforcer, '/readyz')).text).toBe('ok\n')
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
    mountReadOnly(node.cgroup())
    try {
      const enforcer = start()
      await says(enforcer, 'EROFS')
      expect(messages(enforcer).filter((message) => message.includes('EROFS'))).toEqual([
        expect.stringMatching(
          /^pod team\/db: "259:0 rbps=max wbps=max riops=100 wiops=100" could not be written to .*io\.max: EROFS: .*; mount \/sys\/fs\/cgroup read-write into the container$/,
        ),
      ])
      expect(await counts(enforcer, /errors_total\{cause="EROFS"\} (\d+)/)).toBeGreaterThan(0)
      expect(await counts(enforcer, /pods\{state="failing"\} (\d+)/)).toBe(1)
      execFileSync('mount', ['-o', 'remount,bind,rw', node.cgroup()])
      await holds('100')
      await expect.poll(() => counts(enforcer, /pods\{state="limited"\} (\d+)/)).toBe(1)
    } finally {
      execFileSync('umount', ['-l', node.cgroup()])
    }
  })
})
