/** Somebody who sends the webhook a review every now and then, and looks at its memory. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../test/support/https/client.ts'
import type { Inputs } from '../webhook/inputs.ts'
import type { Running } from '../webhook/servers.ts'

export interface Probe {
  /** What was seen; ends it. */
  stop(): Promise<{ readonly slowest: number; readonly rss: number }>
}

/** Milliseconds between an answer and the next review. */
const PAUSE = 25

/** `slowest` in milliseconds, `rss` at most in MiB. */
export function startProbe(
  webhook: Pick<Running, 'port' | 'rss'>,
  inputs: Pick<Inputs, 'ca' | 'body'>,
): Probe {
  const client = createClient(`https://127.0.0.1:${webhook.port}`, {
    ca: readFileSync(inputs.ca),
    servername: 'localhost',
  })
  const stopping = new AbortController()
  const seen = { slowest: 0, rss: 0 }
  const look = async (): Promise<void> => {
    const sent = performance.now()
    const headers = { 'Content-Type': 'application/json' }
    await client.send({ path: '/mutate', headers, body: inputs.body })
    seen.slowest = Math.max(seen.slowest, performance.now() - sent)
    seen.rss = Math.max(seen.rss, webhook.rss())
    await sleep(PAUSE)
  }
  const looking = (async (): Promise<void> => {
    do await look()
    while (!stopping.signal.aborted)
  })()
  return {
    stop: async () => {
      stopping.abort()
      await looking
      client.close()
      return seen
    },
  }
}
