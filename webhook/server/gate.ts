/** Bounds on what is under way at the same time, so that no crowd exhausts the memory. */
import { createBag, type Member } from './bag.ts'

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
      if (seat.place < 0) return false
      while (seats.bytes + more > maxBytes) {
        if (!seats.evictSlowest(seat)) return false
      }
      seats.bytes += more
      seat.bytes += more
      return true
    },
    settle() {
      seat.isSending = false
    },
    leave: () => seats.free(seat),
  })
  return {
    enter: (onLost) =>
      seats.taken < maxRequests || seats.evictSlowest() ? createPlace(seats.take(onLost)) : undefined,
    get requests() {
      return seats.taken
    },
    get bytes() {
      return seats.bytes
    },
  }
}

interface Seat extends Member {
  /** They are numbered as they come. */
  readonly number: number
  readonly since: number
  bytes: number
  /** Its body is on its way. */
  isSending: boolean
  readonly onLost: () => void
}

function createSeats(clock: () => number) {
  const { add, remove, members } = createBag<Seat>()
  let taken = 0
  const seats = {
    bytes: 0,
    get taken() {
      return members.length
    },
    take(onLost: () => void): Seat {
      taken += 1
      const seat = { number: taken, since: clock(), bytes: 0, isSending: true, onLost, place: -1 }
      add(seat)
      return seat
    },
    free(seat: Seat): void {
      if (remove(seat)) seats.bytes -= seat.bytes
    },
    /** Whether there was one, other than who asks, to take a place from. */
    evictSlowest(asking?: Seat): boolean {
      const slowest = members.filter(({ isSending }) => isSending).reduce(findEarlier, undefined)
      if (slowest === undefined || slowest === asking || clock() - slowest.since < GRACE) return false
      seats.free(slowest)
      slowest.onLost()
      return true
    },
  }
  return seats
}

const findEarlier = (a: Seat | undefined, b: Seat): Seat => (a !== undefined && a.number < b.number ? a : b)
