import { certs } from './certs.ts'
import { type CliEffects, type Command, type Environment, formatCallProblems } from './command.ts'

/** Every subcommand, in the order of the help. */
const COMMANDS: Readonly<Record<string, Command>> = { certs }

/** `iops-limit COMMAND …`; gives the exit code. */
export async function runCli(
  argv: readonly string[],
  env: Environment,
  effects: CliEffects,
): Promise<number> {
  const [name, ...rest] = argv
  if (name === '--help' || name === '-h') {
    effects.stdout(formatCommands())
    return 0
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command !== undefined) return command.run(rest, env, effects)
  const wrong = name === undefined ? 'no command was given' : `there is no command ${JSON.stringify(name)}`
  effects.stderr(formatCallProblems('iops-limit', [`${wrong}: write one of ${names.join(', ')}`]))
  return 2
}

const names = Object.keys(COMMANDS)

function formatCommands(): string {
  const widest = Math.max(...names.map((name) => name.length))
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(widest)}  ${summary}\n`,
  )
  return `Usage: iops-limit COMMAND [OPTION...]

Disk-IO limits for Kubernetes pods: the tools beside the webhook.

Commands:
${lines.join('')}
"iops-limit COMMAND --help" tells all about one.
`
}
