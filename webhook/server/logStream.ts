/** The log's way out, and the time of its lines. */
import type { DestinationStream } from 'pino'

export interface LogStream extends DestinationStream {
  /** Writes at once what waits. */
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

/** Bytes that wait at most. */
const ROOM = 64 * 1024
/** Bytes of UTF-8 that one unit of UTF-16 takes at most. */
const WIDEST = 3

/**
 * Lines that come close together go out in one write, behind their answers: writing takes as long as deciding does. `later` calls
 * back in a moment; what waits when the process ends is for the caller to flush. It waits as bytes, outside of V8's heap:
 * as text, made of a few dozen pieces a line, it outlives collections, which takes 5 MiB more under load (docs/performance.md).
 */
export function createLogStream(
  destination: DestinationStream,
  later: (callback: () => void) => unknown,
): LogStream {
  const waiting = Buffer.allocUnsafe(ROOM)
  let size = 0
  let isComing = false
  const flush = (): void => {
    if (size === 0) return
    const lines = waiting.toString('utf8', 0, size)
    size = 0
    destination.write(lines)
  }
  const flushLater = (): void => {
    isComing = false
    flush()
  }
  return {
    flush,
    write(line) {
      const most = line.length * WIDEST
      if (size + most > ROOM) flush()
      if (most > ROOM) {
        destination.write(line)
        return
      }
      if (!isComing) later(flushLater)
      isComing = true
      size += waiting.write(line, size)
    },
  }
}
