/**
 * Three minutes of both programs on this machine: real cgroups (v1), a loop device as the disk, loads past the page cache.
 * First as admitted; after a minute the owner of `web` asks for twice as much; after two `one` comes to rest.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import jsonpatch, { type Operation } from 'fast-json-patch'
import { DEMO_CASES } from '../../test/demo/cases.ts'
import { formatPodList, type NodePod, toNodePods } from '../../test/demo/nodePods.ts'
import { findFreePort, startDaemon } from '../../test/support/cluster/daemon.ts'
import { type Client, createClient } from '../../test/support/https/client.ts'
import { createWebhookFiles } from '../../test/support/https/files.ts'
import { startWebhook } from '../../test/support/https/webhook.ts'
import { createLoopDisk, createPodGroups, findObstacle, measure } from '../../test/support/kernel/kernel.ts'
import { type Prometheus, startPrometheus } from '../../test/support/prometheus/server.ts'
import { patchOf, type RecordedPod, type RecordedReview } from '../../test/support/reviews.ts'
import type { AdmissionReviewResponse } from '../../webhook/admission/response.ts'

const MINUTE = 60_000
const ENFORCER = new URL('../../enforcer/main.ts', import.meta.url).pathname

/** Gives the Prometheus that has seen it to `use`, with the time of its beginning in seconds since 1970. */
export async function runHere(use: (prometheus: Prometheus, began: number) => Promise<void>): Promise<void> {
  const obstacle = findObstacle()
  if (obstacle !== undefined) throw new Error(`there is nothing to draw here: ${obstacle}`)
  await using files = await createWebhookFiles()
  await using webhook = await startWebhook(files.argv)
  using client = adopt(createClient(webhook.origin, { ca: files.ca }))
  const pods = await admitAll(client)
  using disk = createLoopDisk()
  using groups = createPodGroups(pods.map(({ uid, containerId }) => [uid, containerId] as const))
  await using enforcer = await startEnforcer(disk.mount, pods)
  const node = { node: 'this-machine' }
  await using prometheus = await startPrometheus([
    { url: `${enforcer.origin}/metrics`, labels: node },
    { url: `${webhook.opsOrigin}/metrics`, labels: { instance: 'webhook-1' } },
  ])
  const began = Date.now()
  const stopped = AbortSignal.timeout(3 * MINUTE)
  const load = async (name: string, direction: 'read' | 'write', until: number): Promise<void> => {
    const pod = pods.find((one) => one.name === name)
    if (pod === undefined) throw new Error(`${name} was not admitted`)
    while (Date.now() < until)
      await measure(groups.container(pod.uid, pod.containerId), disk, { direction, count: 1000 })
  }
  const raise = async (): Promise<void> => {
    await sleep(MINUTE)
    const review = DEMO_CASES.find(({ name }) => name === 'web')?.review()
    const pod = review?.request.object
    if (review === undefined || !pod) throw new Error('the demo has no pod web')
    pod.metadata.annotations = { 'iops-limit/limit': '1000' }
    const annotations = (await admit(client, review))?.metadata.annotations ?? {}
    enforcer.write(pods.map((pod) => (pod.name === 'web' ? { ...pod, annotations } : pod)))
  }
  await Promise.all([
    ...[load('web', 'read', began + 3 * MINUTE), load('one', 'write', began + 2 * MINUTE)],
    ...[load('heritage', 'read', began + 3 * MINUTE), raise(), sendReviews(client, stopped)],
  ])
  await use(prometheus, began / 1000)
}

const adopt = (client: Client): Client & Disposable => ({ ...client, [Symbol.dispose]: () => client.close() })

/** The pod as it is stored; undefined where it is refused. */
async function admit(client: Client, review: RecordedReview): Promise<RecordedPod | undefined> {
  const { body } = await client.review(review, '?timeout=10s')
  const answer = JSON.parse(body) as AdmissionReviewResponse
  const { object } = review.request
  if (!answer.response.allowed || object === null) return undefined
  return jsonpatch.applyPatch(object, patchOf(answer) as Operation[], true, false).newDocument
}

async function admitAll(client: Client): Promise<readonly NodePod[]> {
  const admitted = []
  for (const one of DEMO_CASES) {
    const review = one.review()
    const pod = await admit(client, review)
    if (pod !== undefined && review.request.dryRun !== true) admitted.push({ case: one, pod })
  }
  return toNodePods(admitted)
}

/** The demo's cases again and again: one in six is refused. */
async function sendReviews(client: Client, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted)
    for (const one of DEMO_CASES) {
      await admit(client, one.review())
      await sleep(300 + 400 * Math.random())
    }
}

interface Enforcer extends AsyncDisposable {
  readonly origin: string
  /** The pods that are there from now on. */
  readonly write: (pods: readonly NodePod[]) => void
}

async function startEnforcer(mount: string, pods: readonly NodePod[]): Promise<Enforcer> {
  const folder = mkdtempSync(join(tmpdir(), 'iops-limit-dashboard-'))
  const file = join(folder, 'pods.json')
  const write = (list: readonly NodePod[]): void => writeFileSync(file, formatPodList(list))
  write(pods)
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const daemon = startDaemon(process.execPath, [
    ...[ENFORCER, '--pods-file', file, '--data-mount', mount, '--log-level', 'error', '--host', '127.0.0.1'],
    ...['--metrics-port', String(port), '--check-interval', '2s', '--usage-from-kubelet=false'],
  ])
  await daemon.until(async () => (await fetch(`${origin}/readyz`)).ok)
  return {
    ...{ origin, write },
    async [Symbol.asyncDispose]() {
      await daemon.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
