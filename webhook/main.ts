import { runWebhook } from './server/program.ts'
import { openStdout } from './server/stdout.ts'

process.exitCode = await runWebhook(process.argv.slice(2), process.env, {
  stdout: openStdout(),
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
