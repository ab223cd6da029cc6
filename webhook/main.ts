import { pino } from 'pino'
import { createLogStream } from './server/logStream.ts'
import { runWebhook } from './server/program.ts'

/** Milliseconds that a line may wait for others. */
const LOG_DELAY = 20

const stdout = createLogStream(pino.destination(1), (flush) => setTimeout(flush, LOG_DELAY))
process.on('exit', stdout.flush)

process.exitCode = await runWebhook(process.argv.slice(2), process.env, {
  stdout,
  stderr: (text) => void process.stderr.write(text),
  clock: () => performance.now() / 1000,
  now: () => new Date(),
  random: Math.random,
  untilStopped: () =>
    new Promise((resolve) => {
      // Listened to for good: a second one would else end the process amid its orderly end.
      process.on('SIGTERM', resolve)
      // But whoever presses Ctrl-C again means it.
      process.once('SIGINT', resolve)
    }),
})
