/** Whether the API server could call us: our own port, seen from outside by what is published. */
import { type Door, tryHandshake } from './handshake.ts'

export interface DoorWatch {
  /** Why it could not, each a phrase; empty: it could. */
  readonly unready: readonly string[]
  /** Until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

export interface DoorWatchDeps {
  /** Where our port is and what is published for it, each bundle once; none while nothing is published. */
  readonly findDoors: () => readonly Door[]
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** Milliseconds. */
const WHILE_CLOSED = 250
const WHILE_OPEN = 5000

export function createDoorWatch({ findDoors, sleep }: DoorWatchDeps): DoorWatch {
  let unready: readonly string[] = ['certificate: none is published yet']
  return {
    get unready() {
      return unready
    },
    async run(stopped) {
      const isStopped = (): boolean => stopped.aborted
      while (!isStopped()) {
        const faults = await findFaults(findDoors())
        unready = faults.map((why) => `certificate: ${why}`)
        await sleep(faults.length === 0 ? WHILE_OPEN : WHILE_CLOSED, stopped).catch(() => undefined)
      }
    },
  }
}

async function findFaults(doors: readonly Door[]): Promise<readonly string[]> {
  if (doors.length === 0) return ['none is published yet']
  const faults = await Promise.all(doors.map(tryHandshake))
  return faults.flatMap((why) =>
    why === undefined ? [] : [`a handshake with our own port by what is published fails: ${why}`],
  )
}
