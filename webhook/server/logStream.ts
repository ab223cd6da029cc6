/** The log's way out. */
import type { DestinationStream } from 'pino'

export interface LogStream extends DestinationStream {
  /** Writes at once what waits. */
  readonly flush: () => void
}

/**
 * Lines that come close together go out in one write, behind their answers: writing takes as long as deciding does. `later` calls
 * back in a moment; what waits when the process ends is for the caller to flush.
 */
export function createLogStream(
  destination: DestinationStream,
  later: (callback: () => void) => unknown,
): LogStream {
  let waiting = ''
  const flush = (): void => {
    if (waiting === '') return
    const lines = waiting
    waiting = ''
    destination.write(lines)
  }
  return {
    flush,
    write(line) {
      if (waiting === '') later(flush)
      waiting += line
    },
  }
}
