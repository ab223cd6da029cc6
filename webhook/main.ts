import { once } from 'node:events'
import { pino } from 'pino'
import { runWebhook } from './server/program.ts'

process.exitCode = await runWebhook(process.argv.slice(2), process.env, {
  stdout: pino.destination(1),
  stderr: (text) => void process.stderr.write(text),
  clock: () => performance.now() / 1000,
  random: Math.random,
  untilStopped: () =>
    Promise.race(
      ['SIGTERM', 'SIGINT'].map(async (signal) => {
        await once(process, signal)
        return signal
      }),
    ),
})
