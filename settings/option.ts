/** One setting: a flag, its environment variable, and how its text becomes a value. */
export interface Option<T> {
  /** Without the dashes: `tls-cert`. */
  readonly flag: string
  /** One letter, for a flag that is typed often: `-n`. */
  readonly short?: string
  readonly env?: string
  /** What stands for the value in the help: `FILE`; empty for a switch. */
  readonly placeholder: string
  readonly help: string
  /** Given texts, each from one flag or the variable, to the value; a string is what is wrong with them. */
  readonly parse: (texts: readonly string[]) => { readonly value: T } | string
  /** Value where nothing is given; absent: the setting is required. */
  readonly fallback?: { readonly value: T; readonly shown: string }
}

interface Described {
  readonly flag: string
  readonly short?: string
  readonly env?: string
  readonly help: string
}

type WithDefault<T> = Described & { readonly placeholder?: string; readonly default?: T }

/** Any text, empty refused. The last one given counts. */
export const text = (described: WithDefault<string>): Option<string> =>
  single(described, 'TEXT', (given) => (given === '' ? 'is empty' : { value: given }))

/** Like {@link text}, and undefined where it is not given. */
export const optionalText = ({
  placeholder = 'TEXT',
  ...described
}: Described & { readonly placeholder?: string }): Option<string | undefined> => ({
  ...described,
  placeholder,
  parse: (texts) => ({ value: texts.at(-1) || undefined }),
  fallback: { value: undefined, shown: '' },
})

/** Several texts: the flag repeated, or commas in one. */
export const list = (described: WithDefault<readonly string[]>): Option<readonly string[]> => ({
  ...described,
  placeholder: described.placeholder ?? 'TEXT[,TEXT...]',
  parse: (texts) => ({
    value: texts
      .flatMap((given) => given.split(','))
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  }),
  ...(described.default && { fallback: { value: described.default, shown: described.default.join(',') } }),
})

export const oneOf = <const T extends string>(choices: readonly T[], described: WithDefault<T>): Option<T> =>
  single({ ...described, placeholder: choices.join('|') }, '', (given) => {
    const value = choices.find((choice) => choice === given)
    return value === undefined ? `is not one of ${choices.join(', ')}` : { value }
  })

/** A whole number within bounds. */
export const wholeNumber = (
  bounds: { readonly min: number; readonly max: number },
  described: WithDefault<number>,
): Option<number> =>
  single(described, 'N', (given) => {
    const value = Number(given)
    const fits = /^\d+$/.test(given) && value >= bounds.min && value <= bounds.max
    return fits ? { value } : `is not a whole number from ${bounds.min} to ${bounds.max}`
  })

/** A TCP port; 0 asks the system for a free one. */
export const port = (described: WithDefault<number>): Option<number> =>
  wholeNumber({ min: 0, max: 65_535 }, { placeholder: 'PORT', ...described })

/** Past 32 bits, a timer of Node fires at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMER = 596 * 3_600_000

type Span = Omit<WithDefault<number>, 'default'> & { readonly default?: string }

/** Milliseconds, written as Go writes durations (`10s`, `1m30s`, `500ms`) or as a plain number of seconds; for a timer. */
export const duration = (described: Span): Option<number> => {
  const span = lifetime(described)
  return {
    ...span,
    parse(texts) {
      const parsed = span.parse(texts)
      if (typeof parsed === 'string' || parsed.value <= LONGEST_TIMER) return parsed
      return 'is longer than 596h, the most that a timer can wait'
    },
  }
}

/** Likewise, and no timer is to wait so long. */
export const lifetime = (described: Span): Option<number> => {
  const { default: shown, ...rest } = described
  const base = single<number>(rest, 'DURATION', (given) => {
    const value = parseDuration(given)
    return value === undefined ? 'is not a duration such as 10s, 1m30s or 500ms' : { value }
  })
  if (shown === undefined) return base
  const value = parseDuration(shown)
  if (value === undefined) throw new RangeError(`the default of --${rest.flag} is no duration: ${shown}`)
  return { ...base, fallback: { value, shown } }
}

/** On or off: the flag alone, or `true`/`false` behind `=` or in the variable. */
export const toggle = (described: Described & { readonly default?: boolean }): Option<boolean> => ({
  flag: described.flag,
  ...(described.short !== undefined && { short: described.short }),
  ...(described.env !== undefined && { env: described.env }),
  help: described.help,
  placeholder: '',
  parse: (texts) => {
    const given = texts.at(-1)?.toLowerCase() ?? ''
    if (['', 'true', '1', 'yes'].includes(given)) return { value: true }
    return ['false', '0', 'no'].includes(given) ? { value: false } : 'is neither true nor false'
  },
  fallback: { value: described.default ?? false, shown: described.default === true ? 'true' : '' },
})

const DURATION_UNITS = [
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
] as const

/** Milliseconds of a Go duration (time.ParseDuration) or of plain seconds; undefined where the text is neither. */
export function parseDuration(given: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given) * 1000
  // The micro sign is escaped, as a bundle would not do it: they are ASCII (docs/decisions/0003).
  if (!/^(\d+(\.\d+)?(ns|us|\u00b5s|ms|s|m|h))+$/.test(given)) return undefined
  let total = 0
  for (const [unit, milliseconds] of DURATION_UNITS) {
    // "m" is not the start of "ms".
    for (const [part] of given.matchAll(new RegExp(`[\\d.]+${unit}(?![a-z])`, 'g')))
      total += Number.parseFloat(part) * milliseconds
  }
  return total
}

function single<T>(
  described: WithDefault<T>,
  placeholder: string,
  parse: (given: string) => { readonly value: T } | string,
): Option<T> {
  const { default: value, ...rest } = described
  return {
    placeholder,
    ...rest,
    parse: (texts) => parse(texts.at(-1) ?? ''),
    ...(value !== undefined && { fallback: { value, shown: String(value) } }),
  }
}
