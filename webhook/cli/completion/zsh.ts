import type { CommandWords, FlagWords } from './words.ts'

/** By `_arguments` of zsh's own completion system. */
export const formatZsh = (commands: readonly CommandWords[]): string => `#compdef iops-limit
_iops_limit() {
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command="\${words[2]}"
  shift words
  ((CURRENT--))
  case "$command" in
${commands.map(formatCommand).join('\n')}
  esac
}
if [[ \${funcstack[1]} == _iops_limit ]]; then _iops_limit "$@"; else compdef _iops_limit iops-limit; fi
`

function formatCommand({ name, flags, operands }: CommandWords): string {
  const rest = operands === undefined ? "'*:file:_files'" : quote(`1:word:(${operands.join(' ')})`)
  const specs = [...flags.flatMap(formatFlag), rest]
  return `    ${name}) _arguments ${specs.map((spec) => `\\\n      ${spec}`).join(' ')};;`
}

function formatFlag({ spellings, help, value }: FlagWords): readonly string[] {
  const described = help.replaceAll(/[[\]:\\]/g, '\\$&')
  const argument = value === 'none' ? '' : value === 'file' ? ':file:_files' : formatChoices(value)
  return spellings.map((spelling) => {
    const attached = value !== 'none' && spelling.startsWith('--') ? '=' : ''
    return quote(`*${spelling}${attached}[${described}]${argument}`)
  })
}

const formatChoices = (value: Exclude<FlagWords['value'], 'none' | 'file'>): string =>
  value === 'text' ? ':value:' : `:value:(${typeof value === 'string' ? value : value.join(' ')})`

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
