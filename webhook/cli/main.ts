import { randomBytes } from 'node:crypto'
import { createKeys } from '../../certs/keys.ts'
import { runCli } from './program.ts'

process.exitCode = await runCli(process.argv.slice(2), process.env, {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  now: () => new Date(),
  random: randomBytes,
  createKeys,
})
