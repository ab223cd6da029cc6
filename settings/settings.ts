import type { Option } from './option.ts'

export type OptionTable = Readonly<Record<string, Option<unknown>>>

export type SettingsOf<Table extends OptionTable> = {
  readonly [name in keyof Table]: Table[name] extends Option<infer T> ? T : never
}

/** Flags beat the environment, the environment beats the default. */
export type Read<Table extends OptionTable> =
  | { readonly kind: 'settings'; readonly settings: SettingsOf<Table>; readonly operands: readonly string[] }
  | { readonly kind: 'help' }
  | {
      readonly kind: 'problems'
      readonly problems: readonly string[]
      /** The settings that are right, for whoever wants to find further problems in what they name. */
      readonly partial: Partial<SettingsOf<Table>>
    }

export interface Given {
  /** Without the program's own name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Every problem at once, each naming its flag or variable. Operands are refused unless `operands` says how many may stand. */
export function readSettings<const Table extends OptionTable>(
  table: Table,
  given: Given,
  operands = 0,
): Read<Table> {
  const flags = readFlags(table, given.argv)
  if (flags.help) return { kind: 'help' }
  const problems = [...flags.problems]
  const surplus = flags.operands.slice(operands)
  if (surplus.length > 0) problems.push(`unexpected argument ${JSON.stringify(surplus[0])}: see --help`)
  const settings: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(table)) {
    const read = readOption(option, flags.texts.get(option.flag), given.env)
    if (typeof read === 'string') problems.push(read)
    else settings[name] = read.value
  }
  const read = settings as SettingsOf<Table>
  if (problems.length > 0) return { kind: 'problems', problems, partial: read }
  return { kind: 'settings', settings: read, operands: flags.operands }
}

function readOption(
  option: Option<unknown>,
  texts: readonly string[] | undefined,
  env: Given['env'],
): { readonly value: unknown } | string {
  const fromEnv = option.env === undefined ? undefined : env[option.env]
  const given = texts ?? (fromEnv === undefined || fromEnv === '' ? undefined : [fromEnv])
  if (given === undefined) return option.fallback ?? describeMissing(option)
  const parsed = option.parse(given)
  if (typeof parsed !== 'string') return parsed
  const where = texts === undefined && option.env !== undefined ? option.env : `--${option.flag}`
  return `${where} ${JSON.stringify(given.at(-1))} ${parsed}`
}

/** What is said of a setting that has to be given and was not. */
export const describeMissing = (option: Option<unknown>): string =>
  `${nameOf(option)} is required: ${option.help}`

const nameOf = (option: Option<unknown>): string =>
  option.env === undefined ? `--${option.flag}` : `--${option.flag} (or ${option.env})`

interface Flags {
  readonly texts: ReadonlyMap<string, readonly string[]>
  readonly operands: readonly string[]
  readonly problems: readonly string[]
  readonly help: boolean
}

function readFlags(table: OptionTable, argv: readonly string[]): Flags {
  const texts = new Map<string, string[]>()
  const operands: string[] = []
  const problems: string[] = []
  const words = [...argv]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--help' || word === '-h') return { texts, operands, problems, help: true }
    if (word === '--') operands.push(...words.splice(0))
    else if (!word.startsWith('-') || word === '-') operands.push(word)
    else {
      const text = readFlag(table, word, words)
      if (typeof text === 'string') problems.push(text)
      else texts.set(text.flag, [...(texts.get(text.flag) ?? []), text.value])
    }
  }
  return { texts, operands, problems, help: false }
}

/** `--flag value`, `--flag=value`, and a switch's `--flag` alone. A value that starts with `--` needs the `=`. */
function readFlag(
  table: OptionTable,
  word: string,
  words: string[],
): { readonly flag: string; readonly value: string } | string {
  const [, flag = '', attached] = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? []
  const option = Object.values(table).find((known) => known.flag === flag || known.short === flag)
  if (option === undefined) return `unknown option ${word.replace(/=[\s\S]*/, '')}: see --help`
  if (attached !== undefined) return { flag: option.flag, value: attached }
  if (option.placeholder === '') return { flag: option.flag, value: '' }
  const value = words[0]
  if (value === undefined || value.startsWith('--')) return `--${option.flag} lacks its ${option.placeholder}`
  words.shift()
  return { flag: option.flag, value }
}

/** What `--help` prints: usage, then each setting with its variable and default. */
export function formatHelp(intro: string, table: OptionTable): string {
  const rows = Object.values(table).map((option) => {
    const usual = option.fallback?.shown ?? ''
    const notes = [
      option.env === undefined ? '' : `env ${option.env}`,
      option.fallback === undefined ? 'required' : usual === '' ? '' : `default ${usual}`,
    ].filter((note) => note !== '')
    const names = option.short === undefined ? `--${option.flag}` : `-${option.short}, --${option.flag}`
    return `  ${names}${option.placeholder === '' ? '' : ` ${option.placeholder}`}\n      ${option.help}${notes.length > 0 ? ` [${notes.join('; ')}]` : ''}`
  })
  return `${intro.trimEnd()}\n\nOptions (a flag beats its environment variable):\n${rows.join('\n')}\n  --help\n      Print this and leave\n`
}
