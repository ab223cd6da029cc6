/**
 * Two replicas under constant load while policies and namespaces change, certificates rotate, and one of them is replaced again and
 * again: no review may fail, and the other's memory and handles have to stay level.
 *   npm run soak -- [MINUTES]      10 if nothing is said
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestAuthority, createTestCertificates } from '../test/support/https/certificates.ts'
import { createClient } from '../test/support/https/client.ts'
import { createWebhookFiles, type WebhookFiles, writePair } from '../test/support/https/files.ts'
import { readMetric } from '../test/support/https/metrics.ts'
import { createService, loadService, type Service } from '../test/support/https/service.ts'
import { startWebhook, type WebhookProcess } from '../test/support/https/webhook.ts'
import { reviewOf } from '../test/support/reviews.ts'
import { findSlope, type Sample } from './soak/slope.ts'

const CLIENTS = 4
/** Milliseconds between two changes. */
const PACE = 2000
/** What the longest-lived replica may gain in an hour, once it has settled: MiB. */
const MOST_GAINED = 20

type Change = (round: number) => Promise<void>

async function soak(minutes: number): Promise<number> {
  const authority = await createTestAuthority()
  await using files = await createWebhookFiles(await createTestCertificates(authority))
  await using service = createService({ ca: authority.certificate, period: 100, lag: 100 })
  await using lasting = await startReplica(files)
  let other = await startReplica(files)
  for (const replica of [lasting, other]) service.add(replica)
  await service.untilReady(2)
  const changes: readonly Change[] = [
    (round) => writePolicy(files, round),
    (round) => writeNamespaces(files, round),
    async () => writePair(files.directory, await createTestCertificates(authority)),
    async () => {
      other = await replace(other, service, files)
    },
  ]
  const stopped = new AbortController()
  const body = JSON.stringify(reviewOf({ 'iops-limit/read-iops': '300' }))
  const loads = Array.from({ length: CLIENTS }, () => loadService(service, body, stopped.signal))
  const samples: Sample[] = []
  const began = Date.now()
  for (let round = 0; Date.now() - began < minutes * 60_000; round += 1) {
    await changes[round % changes.length]?.(round)
    await sleep(PACE)
    samples.push(await measure(lasting, (Date.now() - began) / 3_600_000))
  }
  stopped.abort()
  const tallies = await Promise.all(loads)
  await other[Symbol.asyncDispose]()
  return report(
    samples,
    tallies.flatMap(({ failures }) => failures),
    tallies.reduce((sum, { answers }) => sum + answers, 0),
  )
}

const startReplica = ({ argv }: WebhookFiles): Promise<WebhookProcess> =>
  startWebhook([...argv, '--reload-interval', '200ms', '--shutdown-delay', '1s', '--close-every', '200'])

/** As a rolling update does it: the next one is ready before the last one goes. */
async function replace(old: WebhookProcess, service: Service, files: WebhookFiles): Promise<WebhookProcess> {
  const next = await startReplica(files)
  service.add(next)
  await service.untilReady(3)
  old.terminate()
  await old.exit
  service.remove(old)
  await service.untilReady(2)
  return next
}

const writePolicy = ({ directory }: WebhookFiles, round: number): Promise<void> =>
  writeFile(
    join(directory, 'policies.yaml'),
    `apiVersion: policy.iops-limit/v1alpha1
kind: IOLimitPolicy
metadata: {name: gold}
spec:
  rules:
  - {name: everything-else, default: {iops: ${500 + (round % 100)}}, max: {iops: 1000}}
`,
  )

const writeNamespaces = ({ directory }: WebhookFiles, round: number): Promise<void> => {
  const names = ['rec', ...Array.from({ length: 50 + (round % 50) }, (_, index) => `team-${index}`)]
  const items = names.map(
    (name) =>
      `- {apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {iops-limit/enforce: gold}}}`,
  )
  return writeFile(
    join(directory, 'namespaces.yaml'),
    `apiVersion: v1\nkind: List\nitems:\n${items.join('\n')}\n`,
  )
}

async function measure({ opsOrigin }: WebhookProcess, hours: number): Promise<Sample> {
  const ops = createClient(opsOrigin)
  const rss = (await readMetric(ops, 'process_resident_memory_bytes')) / 2 ** 20
  const heap = (await readMetric(ops, 'nodejs_heap_size_used_bytes')) / 2 ** 20
  const handles = await readMetric(ops, 'nodejs_active_handles_total')
  ops.close()
  return { hours, rss, heap, handles }
}

function report(samples: readonly Sample[], failures: readonly string[], answers: number): number {
  // The first third is for the heap to find its size.
  const settled = samples.slice(Math.floor(samples.length / 3))
  const gained = findSlope(settled, ({ rss }) => rss)
  const handles = settled.map((sample) => sample.handles)
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  say(
    `${answers} reviews answered, ${failures.length} failed${failures.length > 0 ? `: ${[...new Set(failures)].join(', ')}` : ''}`,
  )
  say(
    `RSS ${settled.at(0)?.rss.toFixed(0)} to ${settled.at(-1)?.rss.toFixed(0)} MiB, ${gained.toFixed(1)} MiB an hour`,
  )
  say(
    `heap in use ${findSlope(settled, ({ heap }) => heap).toFixed(1)} MiB an hour; handles ${Math.min(...handles)} to ${Math.max(...handles)}`,
  )
  // In minutes the collector's moods are more than any leak.
  const isLong = (samples.at(-1)?.hours ?? 0) > 0.15
  const leaks = (isLong && gained > MOST_GAINED) || Math.max(...handles) > 4 * CLIENTS + 40
  say(failures.length > 0 || leaks ? 'soak: FAILED' : 'soak: passed')
  return failures.length > 0 || leaks ? 1 : 0
}

process.exitCode = await soak(Number(process.argv[2] ?? 10))
