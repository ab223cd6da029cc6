/** The interval: pods are asked for anew, then everything is passed over. */
import type { Agenda } from './agenda.ts'

export interface TimeDeps {
  /** Milliseconds. */
  readonly interval: number
  readonly refresh: () => Promise<void>
  readonly agenda: Agenda
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly stopped: AbortSignal
}

/** Milliseconds that a pass waits for the list: drift is repaired whether or not anybody answers. */
const PATIENCE = 1_000

/** Until it is stopped; never rejects. */
export async function keepTime({ interval, refresh, agenda, sleep, stopped }: TimeDeps): Promise<void> {
  const pause = (milliseconds: number): Promise<void> => sleep(milliseconds, stopped).catch(() => undefined)
  while (!stopped.aborted) {
    let isLate = false
    const asked = refresh().then(() => {
      if (isLate) agenda.addAll('pod')
    })
    await Promise.race([asked, pause(PATIENCE)])
    isLate = true
    agenda.addAll('interval')
    await pause(interval)
  }
}
