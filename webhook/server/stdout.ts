/** Standard output as a log's way out. */
import { pino } from 'pino'
import { type ByteDestination, createLogStream, type LogStream } from './logStream.ts'

/** Milliseconds that a line may wait for others. */
const DELAY = 20

/** Nothing that was logged is lost when the process ends, an uncaught error included; by SIGKILL, the last of these milliseconds are. */
export function openStdout(): LogStream {
  // Its types have texts alone, which it does not take in this mode.
  const destination = pino.destination({ dest: 1, contentMode: 'buffer' }) as unknown as ByteDestination
  const stream = createLogStream(destination, (handOver) => setTimeout(handOver, DELAY))
  process.on('exit', stream.flush)
  return stream
}
