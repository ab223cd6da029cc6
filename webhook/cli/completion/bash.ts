import type { CommandWords, FlagWords } from './words.ts'

/** For bash 4 and later, without the bash-completion package. */
export const formatBash = (commands: readonly CommandWords[]): string => `# bash completion of iops-limit
_iops_limit() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  COMPREPLY=()
  # The shell takes "--flag=value" for three words.
  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help' -- "$current"))
    return
  fi
  case "$command $previous" in
${commands.flatMap(formatValues).join('\n')}
  esac
  case "$command" in
${commands.map(formatCommand).join('\n')}
  esac
}
complete -o filenames -F _iops_limit iops-limit
`

const FILES = `mapfile -t COMPREPLY < <(compgen -f -- "$current")`

function formatValues({ name, flags }: CommandWords): readonly string[] {
  return flags
    .filter(({ value }) => value !== 'none')
    .map(({ spellings, value }) => {
      const patterns = spellings.map((spelling) => `"${name} ${spelling}"`).join('|')
      return `    ${patterns}) ${replyWith(value)}; return;;`
    })
}

function replyWith(value: FlagWords['value']): string {
  if (value === 'file') return FILES
  return typeof value === 'string' ? ':' : `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$current"))`
}

function formatCommand({ name, flags, operands }: CommandWords): string {
  const words = flags.flatMap(({ spellings }) => spellings).join(' ')
  const rest = operands === undefined ? FILES : replyWith(operands)
  return `    ${name}) if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '${words}' -- "$current")); else ${rest}; fi;;`
}
