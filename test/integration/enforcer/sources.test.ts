/** Who tells of pods: a kubelet and an API server over real HTTPS, in good health and bad. */

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { issueLeaf } from '../../../certs/issue.ts'
import { createKeys, LEAF_BITS } from '../../../certs/keys.ts'
import { createTestAuthority } from '../../support/https/certificates.ts'
import { type RunningEnforcer, readMetric } from '../../support/kernel/runEnforcer.ts'
import { createScene, listOf, podOf, reasonsOf, type Scene } from '../../support/kernel/scene.ts'
import { type Answer, json, startStandIn } from '../../support/kernel/standIns.ts'

let scene: Scene

beforeEach(async () => {
  scene = await createScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

const holds = async (limit: string) =>
  await expect.poll(scene.held, { timeout: 8_000, interval: 5 }).toBe(limit)
const says = async (enforcer: RunningEnforcer, text: string) =>
  await expect.poll(() => enforcer.log.map(({ msg }) => msg), { timeout: 8_000 }).toContain(text)

describe('the kubelet first, the API server second', () => {
  it('falls back and comes back, once in the log, always in a metric', async () => {
    const enforcer = scene.start()
    await holds('100')
    await scene.kubelet.stop()
    await holds('500')
    await says(enforcer, 'pods come from the API server')
    expect(await readMetric(enforcer, /_source\{source="apiserver"\} (\d)/)).toBe(1)
    expect(reasonsOf(enforcer)[0]).toContain(
      `kubelet https://127.0.0.1:${scene.kubelet.port}: does not tell its pods: GET /pods: `,
    )
    await scene.kubelet.start()
    await holds('100')
    await expect.poll(() => readMetric(enforcer, /_source\{source="kubelet"\} (\d)/)).toBe(1)
    expect(enforcer.log.filter(({ msg }) => msg.startsWith('pods come from')).map(({ msg }) => msg)).toEqual([
      'pods come from the kubelet',
      'pods come from the API server',
      'pods come from the kubelet',
    ])
    expect(await readMetric(enforcer, /calls_total\{target="kubelet",code="0"\} (\d+)/)).toBeGreaterThan(0)
  })

  it('keeps what it last knew while both are down, says so, and recovers', async () => {
    const enforcer = scene.start()
    await holds('100')
    await scene.kubelet.stop()
    await scene.api.stop()
    await says(enforcer, 'nobody tells of pods any more: limits stay as they are')
    writeFileSync(scene.file, '')
    await holds('100')
    await expect.poll(() => readMetric(enforcer, /drift_total (\d+)/)).toBe(1)
    expect(await readMetric(enforcer, /pods_age_seconds ([\d.]+)/)).toBeGreaterThan(0)
    scene.kubelet.answer = json(listOf('200'))
    await scene.kubelet.start()
    await holds('200')
    expect(enforcer.log.filter(({ msg }) => msg.includes('nobody tells'))).toHaveLength(1)
  })

  it('says at the start that nobody tells, and begins as soon as one does', async () => {
    await scene.kubelet.stop()
    await scene.api.stop()
    const enforcer = scene.start()
    await says(enforcer, 'nobody tells of pods yet')
    const ready = await fetch(`${await enforcer.origin()}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([
      503,
      expect.stringContaining('nobody has told of pods yet'),
    ])
    await scene.api.start()
    await holds('500')
    await expect.poll(async () => (await fetch(`${await enforcer.origin()}/readyz`)).status).toBe(200)
  })

  it.each<[string, Answer, string]>([
    ['401', json({ message: 'no' }, 401), 'check KUBELET_TOKEN_PATH or KUBELET_CLIENT_CERT_PATH'],
    ['403', json({ message: 'no' }, 403), 'grant "get" on nodes/pods'],
    ['410', json({ message: 'no' }, 410), '(HTTP 410); check KUBELET_HOST'],
    ['500', (_, response) => response.writeHead(500).end('oops'), 'oops (HTTP 500); check KUBELET_HOST'],
    [
      'half an answer',
      (_, response) => response.end('{"kind":"PodList","items":[{"meta'),
      'the answer is not JSON',
    ],
    [
      'an answer that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"kind"')
        setTimeout(() => response.destroy(), 20)
      },
      'aborted',
    ],
    ['no list', json({ kind: 'Pod' }), 'PodList.kind: "Pod" is no list of pods'],
    [
      '50 MiB',
      (_, response) => response.end(`{"items":[],"x":"${'x'.repeat(50 * 2 ** 20)}"}`),
      'the answer is longer than 33554432 bytes',
    ],
  ])('a kubelet that gives %s', async (_, answer, reason) => {
    scene.kubelet.answer = answer
    const enforcer = scene.start()
    await holds('500')
    expect(reasonsOf(enforcer).join('\n')).toContain(reason)
    scene.kubelet.answer = json(listOf('100'))
    await holds('100')
  })

  it('waits as long as a kubelet asks for', async () => {
    scene.kubelet.answer = (_, response) => response.writeHead(429, { 'retry-after': '30' }).end()
    const enforcer = scene.start()
    await holds('500')
    await sleep(500)
    expect(scene.kubelet.calls).toHaveLength(1)
    expect(reasonsOf(enforcer).join('\n')).toContain('HTTP 429')
  })

  it('waits for a slow kubelet no longer than five seconds, and passes meanwhile', async () => {
    scene.kubelet.answer = () => undefined
    const enforcer = scene.start()
    await holds('500')
    expect(reasonsOf(enforcer).join('\n')).toContain('no whole answer within 5000 ms')
    scene.pods.put(podOf('600'))
    await holds('600')
  })
})

describe('the certificate of the kubelet', () => {
  it('is verified: another CA is refused, in words, and skip-verify is warned of at each start', async () => {
    const other = path.join(scene.node.folder, 'other.crt')
    writeFileSync(other, (await createTestAuthority()).certificate)
    const enforcer = scene.start({ KUBELET_CA_PATH: other, POD_SOURCE: 'kubelet' })
    await says(enforcer, 'nobody tells of pods yet')
    expect(reasonsOf(enforcer).join('\n')).toMatch(
      /does not tell its pods: .*; set KUBELET_CA_PATH to the CA/,
    )
    const trusting = scene.start({
      KUBELET_CA_PATH: other,
      POD_SOURCE: 'kubelet',
      KUBELET_SKIP_VERIFY: 'true',
    })
    await holds('100')
    expect(trusting.log[0]?.msg).toBe(
      "KUBELET_SKIP_VERIFY is on: whoever answers in the kubelet's place is believed, and shown the token; set KUBELET_CA_PATH to the kubelet's CA or certificate instead",
    )
  })

  it('may be pinned, and then be for any name; but not when it has expired', async () => {
    const authority = await createTestAuthority()
    const keys = await createKeys(LEAF_BITS)
    const issue = (days: number) =>
      issueLeaf({ names: { dns: ['node-a'], ips: [] }, days }, keys, authority, {
        now: new Date(),
        random: randomBytes,
      }).certificate
    const [good, expired] = [issue(7), issue(-0.01)]
    for (const [cert, expected] of [
      [good, '300'],
      [expired, 'CERT_HAS_EXPIRED'],
    ] as const) {
      const pinned = path.join(scene.node.folder, 'kubelet.crt')
      writeFileSync(pinned, cert)
      const own = scene.keep(await startStandIn(json(listOf('300')), { ca: '', cert, key: keys.privateKey }))
      const enforcer = scene.start({
        KUBELET_PORT: String(own.port),
        KUBELET_CA_PATH: pinned,
        POD_SOURCE: 'kubelet',
      })
      if (expected === '300') await holds(expected)
      else {
        await says(enforcer, 'nobody tells of pods yet')
        expect(reasonsOf(enforcer).join('\n')).toContain('certificate has expired')
      }
      await enforcer.stop()
    }
    writeFileSync(path.join(scene.node.folder, 'ca.crt'), authority.certificate)
    const named = scene.keep(
      await startStandIn(json(listOf('400')), { ca: '', cert: good, key: keys.privateKey }),
    )
    scene.start({
      KUBELET_PORT: String(named.port),
      KUBELET_CA_PATH: path.join(scene.node.folder, 'ca.crt'),
      KUBELET_SERVER_NAME: 'node-a',
      POD_SOURCE: 'kubelet',
    })
    await holds('400')
  })

  it('is shown a token that is read anew at each call', async () => {
    const tokens = new Set<string>()
    scene.kubelet.answer = (request, response) => {
      tokens.add(request.headers.authorization ?? '')
      json(listOf('100'))(request, response)
    }
    scene.start({ POD_SOURCE: 'kubelet' })
    await holds('100')
    writeFileSync(path.join(scene.kubelet.account, 'token'), 'second\n')
    await expect.poll(() => [...tokens]).toEqual(['Bearer first', 'Bearer second'])
  })
})

describe('the connection to the kubelet', () => {
  it('is one for all passes', async () => {
    const ports: (number | undefined)[] = []
    scene.kubelet.answer = (request, response) => {
      if (request.url === '/pods') ports.push(request.socket.remotePort)
      json(listOf('100'))(request, response)
    }
    scene.start({ POD_SOURCE: 'kubelet' })
    await expect.poll(() => ports.length, { timeout: 8_000 }).toBeGreaterThan(5)
    expect(new Set(ports).size).toBe(1)
  })
})

describe('the API server', () => {
  it('is asked for the pods of this node and no others, and tells of a change at once', async () => {
    const enforcer = scene.start({ POD_SOURCE: 'apiserver' }, { interval: '1h' })
    await holds('500')
    expect(scene.api.calls[0]).toBe('/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-a&resourceVersion=0')
    await expect.poll(() => scene.api.calls.length).toBe(2)
    const times: number[] = []
    for (let limit = 1000; limit < 1030; limit++) {
      const before = performance.now()
      scene.pods.put(podOf(String(limit)))
      while (scene.held() !== String(limit)) await sleep(1)
      times.push(performance.now() - before)
    }
    console.log(
      `a change by watch stands after ${times.toSorted((a, b) => a - b)[15]?.toFixed(1)} ms (median of 30)`,
    )
    expect(Math.max(...times)).toBeLessThan(1_000)
    scene.pods.put(podOf(undefined))
    await holds('max')
    expect(await readMetric(enforcer, /apply_seconds_count\{cause="pod"\} (\d+)/)).toBeGreaterThanOrEqual(31)
  })

  it.each([
    ['ends', undefined],
    ['says that it is too old', { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }],
  ])('its watch %s, and is taken up again', async (_, line) => {
    scene.start({ POD_SOURCE: 'apiserver' }, { interval: '1h' })
    await holds('500')
    await expect.poll(() => scene.api.calls.length).toBe(2)
    scene.pods.breakWatches(line)
    scene.pods.put(podOf('700'))
    await expect.poll(() => scene.api.calls.length, { timeout: 8_000 }).toBeGreaterThan(2)
    await sleep(100)
    scene.pods.put(podOf('701'))
    await holds('701')
  })

  it('goes by the hash of a static pod, and forgets a pod that went', async () => {
    const hash = '549ed227c640e90771320b8d5db0b5d0'
    scene.node.addV2(`kubepods/pod${hash}`)
    const mirror = podOf('800', { name: 'static', uid: 'aaaaaaaa-1111-4222-8333-444455556666' })
    Object.assign(mirror.metadata.annotations, {
      'kubernetes.io/config.mirror': hash,
      'kubernetes.io/config.hash': hash,
    })
    const enforcer = scene.start({ POD_SOURCE: 'apiserver' })
    await holds('500')
    scene.pods.put(mirror)
    await expect
      .poll(() => readFileSync(scene.node.cgroup(`kubepods/pod${hash}/io.max`), 'utf8'))
      .toContain('riops=800')
    scene.pods.remove('team', 'static')
    const names = async () =>
      (
        (await (await fetch(`${await enforcer.origin()}/api/v1/limits`)).json()) as {
          items: { pod: string }[]
        }
      ).items
    await expect.poll(async () => (await names()).map(({ pod }) => pod)).toEqual(['db'])
  })

  it('is needed, with the node named, where it is asked for', async () => {
    const nameless = scene.start({ POD_SOURCE: 'apiserver', NODE_NAME: '' })
    expect([(await nameless.stop()).status, nameless.log[0]?.msg]).toEqual([
      2,
      'NODE_NAME: is not set, so the API server cannot be asked for the pods of this node; set it from spec.nodeName by the downward API',
    ])
    const outside = scene.start({ POD_SOURCE: 'apiserver', KUBERNETES_SERVICE_HOST: '' })
    expect([(await outside.stop()).status, outside.log[0]?.msg]).toEqual([
      2,
      'POD_SOURCE apiserver: finds no API server: KUBERNETES_SERVICE_HOST is not set; run in a pod with a service account, or set POD_SOURCE=kubelet',
    ])
  })

  it('that refuses is told with what it needs', async () => {
    scene.api.answer = json({ message: 'forbidden: pods', reason: 'Forbidden' }, 403)
    const enforcer = scene.start({ POD_SOURCE: 'apiserver' })
    await says(enforcer, 'nobody tells of pods yet')
    expect(reasonsOf(enforcer)[0]).toMatch(
      /^API server https:\/\/127\.0\.0\.1:\d+: does not tell this node's pods: .*forbidden: pods \(HTTP 403\); grant "list" and "watch" on pods/,
    )
    scene.api.answer = scene.pods.answer
    await holds('500')
  })
})
