import type { OptionTable } from '../../../settings/settings.ts'

export interface CommandWords {
  readonly name: string
  readonly summary: string
  /** What stands behind the flags; absent: files. */
  readonly operands?: readonly string[]
  readonly flags: readonly FlagWords[]
}

export interface FlagWords {
  /** `--output`, `-o`. */
  readonly spellings: readonly string[]
  readonly help: string
  /** A switch takes none. */
  readonly value: 'none' | 'file' | 'text' | readonly string[]
}

export const describeCommand = (name: string, summary: string, options: OptionTable): CommandWords => ({
  name,
  summary,
  flags: [
    ...Object.values(options).map(({ flag, short, help, placeholder }) => ({
      spellings: [`--${flag}`, ...(short === undefined ? [] : [`-${short}`])],
      help,
      value: findValue(placeholder),
    })),
    { spellings: ['--help', '-h'], help: 'print the help', value: 'none' },
  ],
})

/** By what stands for the value in the help: `text|json`, `FILE[,FILE...]`, `NAME`. */
function findValue(placeholder: string): FlagWords['value'] {
  if (placeholder === '') return 'none'
  if (/^(?:FILE|DIR|PATH)\b/.test(placeholder)) return 'file'
  const choices = placeholder.replace(/\[.*$/, '').split('|')
  return choices.length > 1 && choices.every((choice) => /^[a-z]+$/.test(choice)) ? choices : 'text'
}
