import { pino } from 'pino'
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
      pino(
        {
          level,
          base: null,
          timestamp: pino.stdTimeFunctions.isoTime,
          formatters: { level: (label) => ({ level: label }) },
        },
        pino.destination({ fd: STANDARD_ERROR, sync: true }),
      ),
    isEnding: () => ending.signal.aborted,
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer)
          ending.signal.removeEventListener('abort', end)
          resolve()
        }
        const timer = setTimeout(end, milliseconds)
        ending.signal.addEventListener('abort', end)
        if (ending.signal.aborted) end()
      }),
  },
)
