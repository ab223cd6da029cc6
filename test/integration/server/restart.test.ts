import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createWebhookFiles } from '../../support/https/files.ts'
import { createService, loadService } from '../../support/https/service.ts'
import { startWebhook } from '../../support/https/webhook.ts'

const recorded = new URL('../../fixtures/recorded/admission/05-create-pods.json', import.meta.url)

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

test('a rolling restart of two replicas under constant load fails no request', {
  timeout: 60_000,
}, async () => {
  await using files = await createWebhookFiles()
  const argv = [...files.argv, '--shutdown-delay', '2s', '--close-every', '20']
  await using service = createService({ ca: files.ca, period: 50, lag: 300 })
  const replicas = await Promise.all([startWebhook(argv), startWebhook(argv)])
  for (const replica of replicas) service.add(replica)
  await service.untilReady(2)

  const body = await readFile(recorded, 'utf8')
  const ended = new AbortController()
  const load = Promise.all(Array.from({ length: 8 }, () => loadService(service, body, ended.signal)))
  await pause(500)
  const exits: (number | null)[] = []
  const successors = []
  for (const replica of replicas) {
    replica.terminate()
    const successor = await startWebhook(argv)
    successors.push(successor)
    service.add(successor)
    exits.push(await replica.exit)
    service.remove(replica)
    await service.untilReady(2)
  }
  await pause(1000)
  ended.abort()
  const tallies = await load
  // Their last lines of the log come a moment behind the answers.
  await pause(300)
  for (const successor of successors) await successor[Symbol.asyncDispose]()

  expect(tallies.flatMap(({ failures }) => failures)).toEqual([])
  expect(exits).toEqual([0, 0])
  const answers = tallies.reduce((sum, tally) => sum + tally.answers, 0)
  const decisions = [...replicas, ...successors].map(
    ({ log }) => log.filter(({ msg }) => msg === 'decision').length,
  )
  expect(answers).toBeGreaterThan(1000)
  expect(decisions.reduce((sum, count) => sum + count, 0)).toBe(answers)
  // Every replica had its share, so the load did move.
  expect(Math.min(...decisions)).toBeGreaterThan(20)
})
