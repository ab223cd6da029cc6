import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './world.ts'

const LOOK_AGAIN = 200

/** Fulfilled once decisions can be made, or the signal aborts. */
export async function untilReady(world: Pick<World, 'unready'>, signal: AbortSignal): Promise<void> {
  while (world.unready.length > 0 && !signal.aborted)
    await sleep(LOOK_AGAIN, undefined, { signal }).catch(() => undefined)
}
