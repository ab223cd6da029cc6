import { type CliEffects, type Environment, formatCallProblems, type Listed } from './command.ts'

/** Every subcommand, in the order of the help. */
const COMMANDS: Readonly<Record<string, Listed>> = {
  review: {
    summary: 'tell what admission would do with manifests',
    load: async () => (await import('./review/review.ts')).review,
  },
  test: {
    summary: 'run golden cases: policies, manifests, expected verdicts',
    load: async () => (await import('./golden/test.ts')).test,
  },
  explain: {
    summary: "tell why a running pod's limits are what they are",
    load: async () => (await import('./explain/explain.ts')).explain,
  },
  migrate: {
    summary: 'turn manifests and environment of the older service into those of this one',
    load: async () => (await import('./migrate/migrate.ts')).migrate,
  },
  certs: {
    summary: 'make a CA and a serving certificate for the webhook',
    load: async () => (await import('./certs.ts')).certs,
  },
  completion: {
    summary: 'print what makes bash or zsh complete these commands',
    load: async () => (await import('./completion/completion.ts')).createCompletion(COMMANDS),
  },
}

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
  if (command !== undefined) return (await command.load()).run(rest, env, effects)
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
