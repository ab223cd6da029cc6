/** Bounds on what is under way at the same time, so that no crowd exhausts the memory. */

export interface Gate {
  /** A place for one request; undefined where all are taken. `onLost`: it is somebody else's now, since the body came too slowly. */
  enter(onLost: () => void): Place | undefined
  readonly requests: number
  readonly bytes: number
}

export interface Place {
  /** Takes room for so many more bytes; false where that would be too much for all together. */
  readonly claim: (bytes: number) => boolean
  /** The body is here: from now on nobody takes the place away. */
  readonly settle: () => void
  /** Gives back the place and its room. */
  readonly leave: () => void
}

export interface GateLimits {
  readonly maxRequests: number
  /** Of all bodies together. */
  readonly maxBytes: number
}

/**
 * Seconds in which a body keeps its place whoever comes. The API server's bodies take milliseconds; without this, anyone who can
 * open as many connections as there are places, and then sends nothing, keeps every review out.
 */
const GRACE = 1

/** `clock` in seconds, from any start. */
export function createGate({ maxRequests, maxBytes }: GateLimits, clock: () => number): Gate {
  const seats = createSeats(clock)
  const createPlace = (seat: Seat): Place => ({
    claim(more) {
      if (!seats.taken.has(seat)) return false
      while (seats.bytes + more > maxBytes) {
        if (!seats.evictSlowest(seat)) return false
      }
      seats.bytes += more
      seat.bytes += more
      return true
    },
    settle: () => void seats.sending.delete(seat),
    leave: () => seats.free(seat),
  })
  return {
    enter: (onLost) =>
      seats.taken.size < maxRequests || seats.evictSlowest() ? createPlace(seats.take(onLost)) : undefined,
    get requests() {
      return seats.taken.size
    },
    get bytes() {
      return seats.bytes
    },
  }
}

interface Seat {
  readonly since: number
  bytes: number
  readonly onLost: () => void
}

function createSeats(clock: () => number) {
  const seats = {
    bytes: 0,
    taken: new Set<Seat>(),
    /** Those whose bodies are on their way, the one that came first in front. */
    sending: new Set<Seat>(),
    take(onLost: () => void): Seat {
      const seat = { since: clock(), bytes: 0, onLost }
      seats.taken.add(seat)
      seats.sending.add(seat)
      return seat
    },
    free(seat: Seat): void {
      if (seats.taken.delete(seat)) seats.bytes -= seat.bytes
      seats.sending.delete(seat)
    },
    /** Whether there was one, other than who asks, to take a place from. */
    evictSlowest(asking?: Seat): boolean {
      const [slowest] = seats.sending
      if (slowest === undefined || slowest === asking || clock() - slowest.since < GRACE) return false
      seats.free(slowest)
      slowest.onLost()
      return true
    },
  }
  return seats
}
