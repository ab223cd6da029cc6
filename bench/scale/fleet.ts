/** A fleet of enforcers, as far as an API server sees one: their real sources, in this process. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiServerSource } from '../../enforcer/sources/apiserver.ts'
import type { PodSource } from '../../enforcer/sources/source.ts'
import type { Connection } from '../../kube/client.ts'
import { inTurns } from '../cluster/turns.ts'

export interface Fleet extends Disposable {
  /** Requests so far, watches among them. */
  readonly calls: number
  /** Pods that the API server told the enforcers to have come, changed or gone, each as often as it did. */
  readonly heard: number
  /** Rejects where one of them has no list. */
  countPods(): Promise<number>
}

/** When it resolves each has listed its node's pods, and watches them. */
export async function startFleet(names: readonly string[], connection: Connection): Promise<Fleet> {
  const stopping = new AbortController()
  let [calls, heard] = [0, 0]
  const sources = names.map((nodeName) =>
    createApiServerSource({
      ...{ connection, nodeName, stopped: stopping.signal, random: Math.random },
      onCall: () => (calls += 1),
      onChanged: (uids) => (heard += uids.length),
      clock: () => performance.now(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    }),
  )
  await inTurns(sources, AT_ONCE, untilRead)
  return {
    get calls() {
      return calls
    },
    get heard() {
      return heard
    },
    countPods: async () =>
      (await Promise.all(sources.map((source) => source.read()))).flatMap(({ pods }) => pods).length,
    [Symbol.dispose]: () => stopping.abort(),
  }
}

/** As a rolling update does it: a tenth of 500. */
const AT_ONCE = 50

/** A machine that is busy takes longer than a source waits for. */
async function untilRead(source: PodSource): Promise<void> {
  for (;;) {
    const isRead = await source.read().then(
      () => true,
      () => false,
    )
    if (isRead) return
    await sleep(500)
  }
}
