/**
 * Both programs as processes of their own, each with something to tell: a webhook that decides by files, a second one whose cluster
 * is out of reach, and an enforcer on a stand-in of a node whose counters move.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort, startDaemon } from '../cluster/daemon.ts'
import { type Client, createClient } from '../https/client.ts'
import { createWebhookFiles } from '../https/files.ts'
import { startWebhook, type WebhookProcess } from '../https/webhook.ts'
import { createRecordedNode, markedPods } from '../kernel/recordedNode.ts'
import { writePods } from '../kernel/runEnforcer.ts'
import { recordedReview, reviewOf } from '../reviews.ts'
import type { Target } from './server.ts'

export interface Scene extends AsyncDisposable {
  readonly targets: readonly Target[]
}

export async function startScene(): Promise<Scene> {
  const scope = new AsyncDisposableStack()
  try {
    const enforcer = await startEnforcer(scope)
    const { webhook, away } = await startWebhooks(scope)
    return {
      targets: [
        {
          url: `${enforcer}/metrics`,
          labels: { ...OPERATOR, node: 'node-a', pod: 'enforcer-a', container: 'enforcer' },
        },
        {
          url: `${webhook.opsOrigin}/metrics`,
          labels: { ...OPERATOR, pod: 'webhook-1', container: 'webhook' },
        },
        { url: `${away.opsOrigin}/metrics`, labels: { ...OPERATOR, pod: 'webhook-2', container: 'webhook' } },
      ],
      [Symbol.asyncDispose]: () => scope.disposeAsync(),
    }
  } catch (error) {
    await scope.disposeAsync()
    throw error
  }
}

/** Labels that the Prometheus operator gives: ours, of the same names, have to prevail. */
const OPERATOR = { namespace: 'iops-limit', endpoint: 'metrics' }

const ENFORCER = new URL('../../../enforcer/main.ts', import.meta.url).pathname
const KUBEPODS = 'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort'
/** The pods `db`, with limits of operations, and `batch`, with one of bytes too. */
const BUSY = [
  'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod005fc95c_aff6_4020_87fd_e1e3ffac3e9f.slice',
  `${KUBEPODS}-pod81914830_d223_4b36_87c5_ad1646bad374.slice`,
]
/** The pod `crash`, whose limit cannot be written. */
const BROKEN = `${KUBEPODS}-podfd996213_e99a_4971_b167_112ba325af8d.slice`

/** Resolves with the origin of its pages. */
async function startEnforcer(scope: AsyncDisposableStack): Promise<string> {
  const node = scope.adopt(createRecordedNode(), (made) => made.dispose())
  rmSync(node.cgroup(BROKEN, 'io.max'))
  mkdirSync(node.cgroup(BROKEN, 'io.max'))
  const count = createCounting(node.cgroup)
  count()
  scope.adopt(setInterval(count, 200), (timer) => clearInterval(timer))
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const pods = writePods(node.folder, markedPods())
  const daemon = startDaemon(process.execPath, [
    ...[ENFORCER, '--pods-file', pods, '--log-level', 'error'],
    ...[
      '--host',
      '127.0.0.1',
      '--metrics-port',
      String(port),
      '--check-interval',
      '1s',
      '--usage-interval',
      '1s',
    ],
    ...Object.entries(node.env).map(([name, path]) => `--${name.toLowerCase().replace('_', '-')}=${path}`),
  ])
  scope.defer(() => daemon.stop())
  await daemon.until(async () => (await fetch(`${origin}/readyz`)).ok)
  writeFileSync(pods, '{')
  await daemon.until(async () => (await (await fetch(`${origin}/metrics`)).text()).includes('cause="pods"'))
  writePods(node.folder, markedPods())
  return origin
}

/** A call moves the counters of the busy pods to where 300 reads and 475 writes a second have brought them by now. */
function createCounting(cgroup: (...parts: readonly string[]) => string): () => void {
  const began = performance.now()
  return () => {
    const seconds = (performance.now() - began) / 1000
    for (const group of BUSY) {
      const [reads, writes] = [300, 475].map((rate) => Math.round(rate * seconds)) as [number, number]
      const moved = `rbytes=${4096 * reads} wbytes=${20_000 * writes} rios=${reads} wios=${writes}`
      writeFileSync(cgroup(group, 'io.stat'), `259:0 ${moved} dbytes=0 dios=0\n`)
      const waited = (kind: string, share: number): string =>
        `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=${Math.round(1e6 * seconds * share)}\n`
      writeFileSync(cgroup(group, 'io.pressure'), waited('some', 0.8) + waited('full', 0.5))
    }
  }
}

async function startWebhooks(
  scope: AsyncDisposableStack,
): Promise<Readonly<Record<'webhook' | 'away', WebhookProcess>>> {
  const files = scope.use(await createWebhookFiles())
  const kubeconfig = join(files.directory, 'kubeconfig')
  await writeFile(kubeconfig, JSON.stringify(OUT_OF_REACH))
  const cluster = ['--kubeconfig', kubeconfig, '--webhook-namespace', 'iops-limit']
  const webhook = scope.use(await startWebhook(files.argv))
  const away = scope.use(await startWebhook([...files.argv.slice(4), ...cluster]))
  const clients = [webhook, away].map(({ origin }) =>
    scope.adopt(createClient(origin, { ca: files.ca }), (client) => client.close()),
  )
  const stopping = new AbortController()
  const sending = sendReviews(clients, stopping.signal)
  scope.defer(async () => {
    stopping.abort()
    await sending
  })
  return { webhook, away }
}

const OUT_OF_REACH = {
  ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'away' },
  // Nobody listens on port 1.
  clusters: [{ name: 'away', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'me', user: { token: 'x' } }],
  contexts: [{ name: 'away', context: { cluster: 'away', user: 'me' } }],
}

/** Round after round: admitted, refused, validated, and what is no review. */
async function sendReviews(clients: readonly Client[], stopped: AbortSignal): Promise<void> {
  const refused = reviewOf({ 'iops-limit/read-iops': '9000' })
  const json = { 'Content-Type': 'application/json' }
  while (!stopped.aborted) {
    for (const client of clients) {
      for (const review of [recordedReview('04'), recordedReview('05'), refused])
        await client.review(review, '?timeout=1s')
      await client.send({ path: '/validate', headers: json, body: JSON.stringify(recordedReview('05')) })
      await client.send({ path: '/mutate', headers: json, body: '{' })
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
