/** What the kubelet tells of its node, over real HTTPS: as recorded, late, broken, and very long. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findKubelet } from '../../../enforcer/sources/kubeletConnection.ts'
import { createKubeletStats, type KubeletStats } from '../../../enforcer/usage/kubeletStats.ts'
import { createKubeClient } from '../../../kube/client.ts'
import { readRecorded } from '../../support/kernel/recordedNode.ts'
import { type Answer, json, type StandIn, startStandIn } from '../../support/kernel/standIns.ts'

const PG = 'f7c90f18007e67691ad4e78459fabc05522aeb512b6e6cf162eb2b9a452abe91'
const DB = '005fc95c-aff6-4020-87fd-e1e3ffac3e9f'

const text =
  (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/plain', ...headers })
    response.end(body)
  }

const RECORDED: Answer = (request, response) => {
  const file = {
    '/stats/summary': 'kubelet-stats-summary.json',
    '/metrics/cadvisor': 'kubelet-metrics-cadvisor.txt',
    '/pods': 'kubelet-pods.json',
  }[request.url ?? '']
  text(readRecorded(file ?? ''))(request, response)
}

let kubelet: StandIn
let stopping: AbortController
let pauses: number[]

beforeAll(async () => {
  kubelet = await startStandIn(RECORDED)
})
afterAll(() => kubelet[Symbol.asyncDispose]())
beforeEach(() => {
  kubelet.answer = RECORDED
  stopping = new AbortController()
  pauses = []
})
afterEach(() => stopping.abort())

function createStats(timeout?: number): KubeletStats {
  const connection = findKubelet(
    {
      ...{ kubeletHost: '127.0.0.1', kubeletPort: kubelet.port, kubeletServerName: undefined },
      ...{ kubeletCa: path.join(kubelet.account, 'ca.crt'), kubeletClientCert: undefined },
      ...{ kubeletClientKey: undefined, kubeletToken: undefined, kubeletSkipVerify: false },
      serviceAccount: kubelet.account,
    },
    {},
  )
  return createKubeletStats({
    client: createKubeClient(connection, { clock: () => performance.now() / 1000 }),
    random: () => 0.5,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds)
      await sleep(1)
    },
    stopped: stopping.signal,
    ...(timeout !== undefined && { timeout }),
  })
}

/** Fails so often, then answers as recorded. */
function failing(times: number, failure: Answer): Answer {
  let left = times
  return (request, response) => (left-- > 0 ? failure : RECORDED)(request, response)
}

describe('as recorded', () => {
  it('the summary', async () => {
    const { node, pods } = await createStats().readSummary()
    expect(node).toEqual({ name: 'node-a', pressure: { some: 6.146053, full: 4.901523 } })
    expect([...pods.values()].map(({ name }) => name)).toEqual(['batch', 'exact', 'db', 'static-node-a'])
    expect(pods.get(DB)?.containers.get('pg')?.pressure).toEqual({ some: 5.562178, full: 5.562178 })
  })

  it("cAdvisor's counters", async () => {
    const { book, mistakes } = await createStats().readCadvisor()
    expect(mistakes).toEqual([])
    expect(book.find(PG, '259:0')?.usage.writes).toBe(159198n)
  })

  it('pods', async () => {
    const { pods, problems } = await createStats().readPods()
    expect(problems).toEqual([])
    expect(pods.map(({ id }) => id)).toContain('default/db')
    expect(pods.find(({ uid }) => uid === DB)?.containers.get(PG)).toBe('pg')
  })
})

describe('a kubelet in trouble', () => {
  it.each<[string, Answer]>([
    ['has no word', text('busy', 503)],
    ['asks to wait', text('busy', 429, { 'retry-after': '1' })],
    ['breaks off', (request) => request.socket.destroy()],
    [
      'breaks off in the middle',
      (request, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{"node":{')
        setTimeout(() => request.socket.destroy(), 10)
      },
    ],
  ])('%s: it is asked again, three times in all', async (_, failure) => {
    kubelet.answer = failing(2, failure)
    const { pods } = await createStats().readSummary()
    expect(pods.size).toBe(4)
    expect(pauses).toEqual(_ === 'asks to wait' ? [1000, 1000] : [150, 300])
    kubelet.answer = failing(3, failure)
    await expect(createStats().readSummary()).rejects.toThrow('GET /stats/summary')
  })

  it('asks to wait for too long: another time', async () => {
    kubelet.answer = text('busy', 429, { 'retry-after': '60' })
    await expect(createStats().readSummary()).rejects.toThrow('HTTP 429')
    expect(pauses).toEqual([])
  })

  it.each([401, 403, 404])('says %d, which it will say again', async (status) => {
    kubelet.answer = text('no', status)
    const before = kubelet.calls.length
    await expect(createStats().readCadvisor()).rejects.toThrow(`GET /metrics/cadvisor: no (HTTP ${status})`)
    expect(kubelet.calls.length - before).toBe(1)
  })

  it('is late', async () => {
    kubelet.answer = (_, response) => {
      response.writeHead(200)
      response.flushHeaders()
    }
    await expect(createStats(50).readSummary()).rejects.toThrow(
      'GET /stats/summary: no whole answer within 50 ms',
    )
    expect(pauses).toEqual([150, 300])
  })

  it('is not waited for once the program ends', async () => {
    kubelet.answer = () => undefined
    const asked = createStats().readSummary()
    setTimeout(() => stopping.abort(), 50)
    await expect(asked).rejects.toThrow('GET /stats/summary')
    expect(pauses).toEqual([])
  })

  it.each([
    ['<html>', 'kubelet /stats/summary: the answer is no JSON object'],
    ['{"pods":[', 'kubelet /stats/summary: the answer ends before its end'],
    [
      '{"pods":[{a},{b}],"node":c}',
      'pods in the answer is not JSON; kubelet /stats/summary: node in the answer is not JSON',
    ],
  ])('answers %s', async (body, message) => {
    kubelet.answer = text(body)
    await expect(createStats().readSummary()).rejects.toThrow(message)
    expect(pauses).toEqual([])
  })

  it.each([
    [
      '<html>\n</html>\n',
      'the answer is no metrics: "<html>" does not begin with the name of a metric, "</html>" does not',
    ],
    ['container_fs_reads_total 1', 'kubelet /metrics/cadvisor: the answer ends within a line'],
  ])('answers with no metrics: %s', async (body, message) => {
    kubelet.answer = text(body)
    await expect(createStats().readCadvisor()).rejects.toThrow(message)
  })

  it('has a line that is none among its metrics: the others count', async () => {
    kubelet.answer = text(`up{ 1\n${readRecorded('kubelet-metrics-cadvisor.txt')}`)
    const { book, mistakes } = await createStats().readCadvisor()
    // Metrics that nobody wants are passed over by their name, whatever follows it.
    expect(mistakes).toEqual([])
    expect(book.size).toBe(16)
    kubelet.answer = text(`container_fs_reads_total{ 1\n${readRecorded('kubelet-metrics-cadvisor.txt')}`)
    expect((await createStats().readCadvisor()).mistakes).toEqual([
      '"container_fs_reads_total{ 1" has a label without a name',
    ])
  })

  it('answers a list of something else', async () => {
    kubelet.answer = json({ kind: 'NodeList', items: [] })
    await expect(createStats().readPods()).rejects.toThrow('kubelet /pods: the answer is no list of pods')
    kubelet.answer = text('{"items":')
    await expect(createStats().readPods()).rejects.toThrow('kubelet /pods: the answer ends before its end')
  })

  it('shows a certificate that nobody vouches for', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'iops-limit-usage-'))
    const other = await startStandIn(RECORDED)
    const connection = findKubelet(
      {
        ...{ kubeletHost: '127.0.0.1', kubeletPort: other.port, kubeletServerName: undefined },
        ...{ kubeletCa: undefined, kubeletClientCert: undefined, kubeletClientKey: undefined },
        ...{ kubeletToken: undefined, kubeletSkipVerify: false, serviceAccount: folder },
      },
      {},
    )
    const client = createKubeClient(connection, { clock: () => 0 })
    const stats = createKubeletStats({
      ...{ client, random: Math.random, sleep: () => Promise.resolve(), stopped: stopping.signal },
    })
    await expect(stats.readSummary()).rejects.toThrow(/certificate/)
    await other[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
})

/** How often a timer came while the work went on, and how late at worst, in milliseconds. */
async function watchTimer(work: () => Promise<void>) {
  const began = performance.now()
  let [turns, worst, last] = [0, 0, began]
  const timer = setInterval(() => {
    turns += 1
    worst = Math.max(worst, performance.now() - last)
    last = performance.now()
  }, 2)
  await work()
  clearInterval(timer)
  return { turns, worst, whole: performance.now() - began }
}

const MIB = 2 ** 20
const LONG = 50 * MIB

/** The parts, over and over until the answer is 50 MiB long; the length is told by the stand-in's own socket. */
function long(begin: string, parts: readonly string[], end: string): Answer {
  const block = Buffer.from(parts.join(''))
  return (_, response) => {
    response.writeHead(200)
    let sent = 0
    const send = (): void => {
      while (sent < LONG) {
        sent += block.length
        if (!response.write(block)) return void response.once('drain', send)
      }
      response.end(end)
    }
    response.write(begin)
    send()
  }
}

describe('an answer of 50 MiB', () => {
  it('of pods, in the summary, is read without holding up anything', async () => {
    const { pods: recorded } = JSON.parse(readRecorded('kubelet-stats-summary.json')) as { pods: object[] }
    kubelet.answer = long(
      '{"pods":[',
      recorded.flatMap((pod) => [JSON.stringify(pod), ',']),
      '{}]}',
    )
    let pods = 0
    const seen = await watchTimer(async () => {
      pods = (await createStats().readSummary()).pods.size
    })
    expect(pods).toBe(4)
    console.info(
      `50 MiB of summary: ${seen.whole.toFixed(0)} ms, of which nothing waited longer than ${seen.worst.toFixed(0)}`,
    )
    // In one go it would be one turn; how late the worst one is depends on who else uses the machine.
    expect(seen.turns).toBeGreaterThan(100)
    expect(seen.worst).toBeLessThan(seen.whole / 3)
  })

  it('of pods is read without holding up anything', async () => {
    const { items } = JSON.parse(readRecorded('kubelet-pods.json')) as { items: object[] }
    kubelet.answer = long(
      '{"kind":"PodList","items":[',
      items.flatMap((item) => [JSON.stringify(item), ',']),
      `${JSON.stringify(items[0])}]}`,
    )
    let pods = 0
    const seen = await watchTimer(async () => {
      pods = (await createStats().readPods()).pods.length
    })
    // One cgroup is one pod's: the others of its uid are told as problems.
    expect(pods).toBe(items.length)
    expect(seen.turns).toBeGreaterThan(100)
    expect(seen.worst).toBeLessThan(seen.whole / 3)
  })

  it('of metrics is read without holding up anything', async () => {
    const lines = readRecorded('kubelet-metrics-cadvisor.txt')
    kubelet.answer = long('', [lines], '')
    let found: bigint | undefined
    const seen = await watchTimer(async () => {
      found = (await createStats().readCadvisor()).book.find(PG, '259:0')?.usage.writes
    })
    expect(found).toBe(159198n)
    console.info(
      `50 MiB of metrics: ${seen.whole.toFixed(0)} ms, of which nothing waited longer than ${seen.worst.toFixed(0)}`,
    )
    // In one go it would be one turn; how late the worst one is depends on who else uses the machine.
    expect(seen.turns).toBeGreaterThan(100)
    expect(seen.worst).toBeLessThan(seen.whole / 3)
  })
})
