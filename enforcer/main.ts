import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from './log.ts'
import { runEnforcer } from './program.ts'

const ending = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())

/** Standard output belongs to the plan. */
const STANDARD_ERROR = 2

process.exitCode = await runEnforcer(
  { argv: process.argv.slice(2), env: process.env },
  {
    writeOut: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    createLog: (level) =>
      createLog(level, { write: (text) => writeSync(STANDARD_ERROR, text), now: () => new Date() }),
    clock: () => performance.now(),
    now: () => new Date(),
    random: Math.random,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    usage: {
      memory: () => process.memoryUsage.rss(),
      processor: () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e6
      },
    },
    collectGarbage: () => globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
    stopped: ending.signal,
  },
)
