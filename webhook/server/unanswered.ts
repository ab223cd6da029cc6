/** Answers under way, and the end of those that never get through. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

export interface Unanswered {
  readonly add: (req: IncomingMessage, res: ServerResponse) => void
  /** The latest on a connection; undefined where there was none. */
  readonly find: (socket: Duplex) => ServerResponse | undefined
  /** Ends connections whose latest answer was under way so long, for whatever reason: it is not made, or its client does not read it. */
  readonly sweep: () => void
}

/**
 * `longest` in seconds, as is the clock. In place of Node's timeout for silence, which every read and every write of every request
 * sets anew.
 */
export function createUnanswered(longest: number, clock: () => number): Unanswered {
  const latest = new Map<Duplex, ServerResponse>()
  let pending = new Map<ServerResponse, number>()
  return {
    add({ socket }, res) {
      if (!latest.has(socket)) socket.once('close', () => latest.delete(socket))
      latest.set(socket, res)
    },
    find: (socket) => latest.get(socket),
    sweep() {
      const now = clock()
      const still = new Map<ServerResponse, number>()
      for (const [socket, res] of latest) {
        if (res.writableFinished) continue
        const since = pending.get(res) ?? now
        if (now - since < longest) still.set(res, since)
        else socket.destroy()
      }
      pending = still
    },
  }
}
