/** Whether the API server could call us: our own port, seen from outside by what is published. */
import { type Door, tryHandshake } from './handshake.ts'

export interface DoorWatch {
  /** Why it could not, each a phrase; empty: it could. */
  readonly unready: readonly string[]
  /** Until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

export interface DoorWatchDeps {
  /** Where our port is and what is published for it, at this moment; undefined while nothing is. */
  readonly findDoor: () => Door | undefined
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** Milliseconds. */
const WHILE_CLOSED = 250
const WHILE_OPEN = 5000

export function createDoorWatch({ findDoor, sleep }: DoorWatchDeps): DoorWatch {
  let unready: readonly string[] = ['certificate: none is published yet']
  return {
    get unready() {
      return unready
    },
    async run(stopped) {
      const isStopped = (): boolean => stopped.aborted
      while (!isStopped()) {
        const door = findDoor()
        const why = door === undefined ? 'none is published yet' : await findFault(door)
        unready = why === undefined ? [] : [`certificate: ${why}`]
        await sleep(why === undefined ? WHILE_OPEN : WHILE_CLOSED, stopped).catch(() => undefined)
      }
    },
  }
}

async function findFault(door: Door): Promise<string | undefined> {
  const why = await tryHandshake(door)
  return why && `a handshake with our own port by what is published fails: ${why}`
}
