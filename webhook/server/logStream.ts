/** The log's way out, and the time of its lines. */
import type { DestinationStream } from 'pino'

export interface LogStream extends DestinationStream {
  /** Writes at once what waits, here and at the destination. */
  readonly flush: () => void
}

/**
 * Times of lines as pino's `isoTime` writes them, from the milliseconds since 1970 that `now` gives: lines of one millisecond share
 * the text, which takes a third of what a line takes.
 */
export function createLogTime(now: () => number): () => string {
  let last = Number.NaN
  let text = ''
  return () => {
    const milliseconds = now()
    if (milliseconds !== last) text = `,"time":"${new Date(milliseconds).toISOString()}"`
    last = milliseconds
    return text
  }
}

/** Takes bytes for good: it may write them later, and keeps them until then. */
export interface ByteDestination {
  readonly write: (bytes: Buffer) => unknown
  /** Writes at once what it has not yet. */
  readonly flushSync: () => void
}

/** Bytes that wait at most: of some 30 reviews. A write of 64 KiB is felt by the request behind it (docs/performance.md). */
const ROOM = 16 * 1024
/** Bytes of UTF-8 that one unit of UTF-16 takes at most. */
const WIDEST = 3

/**
 * Lines that come close together go out in one write, behind their answers: writing takes as long as deciding does. `later` calls
 * back in a moment; what waits when the process ends is for the caller to flush. It waits as bytes, outside of V8's heap:
 * as text, made of a few dozen pieces a line, it outlives collections, which takes 5 MiB more under load (docs/performance.md).
 */
export function createLogStream(
  destination: ByteDestination,
  later: (callback: () => void) => unknown,
): LogStream {
  let waiting = Buffer.allocUnsafe(ROOM)
  let size = 0
  let isComing = false
  const handOver = (): void => {
    if (size === 0) return
    const lines = waiting.subarray(0, size)
    waiting = Buffer.allocUnsafe(ROOM)
    size = 0
    destination.write(lines)
  }
  const handOverLater = (): void => {
    isComing = false
    handOver()
  }
  return {
    flush() {
      handOver()
      destination.flushSync()
    },
    write(line) {
      const most = line.length * WIDEST
      if (size + most > ROOM) handOver()
      if (most > ROOM) {
        destination.write(Buffer.from(line))
        return
      }
      if (!isComing) later(handOverLater)
      isComing = true
      size += waiting.write(line, size)
    },
  }
}
