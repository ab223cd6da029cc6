import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { createKeys } from '../../certs/keys.ts'
import { runCli } from './program.ts'

// Whoever reads us may have seen enough (`| head`): that is no failure.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

process.exitCode = await runCli(process.argv.slice(2), process.env, {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  readStdin: () => buffer(process.stdin),
  isTerminal: { stdout: process.stdout.isTTY, stderr: process.stderr.isTTY },
  now: () => new Date(),
  random: randomBytes,
  createKeys,
})
