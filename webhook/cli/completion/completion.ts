/** `iops-limit completion`: scripts for shells, made from the same tables as the help. */
import { formatHelp, readSettings } from '../../../settings/settings.ts'
import {
  type CliEffects,
  type Command,
  type Environment,
  formatCallProblems,
  type Listed,
} from '../command.ts'
import { formatBash } from './bash.ts'
import { type CommandWords, describeCommand } from './words.ts'
import { formatZsh } from './zsh.ts'

const NAME = 'iops-limit completion'

export const INTRO = `Usage: ${NAME} bash|zsh

Prints a script that completes commands, flags and their values:
  bash: source <(iops-limit completion bash)
  zsh:  source <(iops-limit completion zsh)
Exit code: 0 printed, 2 called wrongly.`

const SHELLS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: formatBash,
  zsh: formatZsh,
}

export const createCompletion = (commands: Readonly<Record<string, Listed>>): Command => ({
  options: {},
  run: (argv, env, effects) => runCompletion(argv, env, { ...effects, commands }),
})

interface Effects extends CliEffects {
  readonly commands: Readonly<Record<string, Listed>>
}

async function runCompletion(argv: readonly string[], env: Environment, effects: Effects): Promise<number> {
  const read = readSettings({}, { argv, env }, 1)
  if (read.kind === 'help') {
    effects.stdout(formatHelp(INTRO, {}))
    return 0
  }
  const shell = read.kind === 'settings' ? (read.operands[0] ?? '') : ''
  const format = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined
  if (read.kind === 'problems' || format === undefined) {
    const problems = read.kind === 'problems' ? read.problems : ['the shell is bash or zsh: name one']
    effects.stderr(formatCallProblems(NAME, problems))
    return 2
  }
  const words = await Promise.all(
    Object.entries(effects.commands).map(async ([name, { summary, load }]) =>
      name === 'completion'
        ? { name, summary, operands: ['bash', 'zsh'], flags: [] }
        : describeCommand(name, summary, (await load()).options),
    ),
  )
  effects.stdout(format(words))
  return 0
}
