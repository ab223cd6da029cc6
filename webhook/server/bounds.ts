/** Options whose values are held to something. */
import type { Option } from '../../settings/option.ts'

export const HOUR = 3_600_000

/** Bounds on a duration, each with the reason that its message gives. */
export function bounded(
  { min, max, why }: { readonly min: number; readonly max: number; readonly why: string },
  option: Option<number>,
): Option<number> {
  return {
    ...option,
    parse: (texts) => {
      const parsed = option.parse(texts)
      if (typeof parsed === 'string' || (parsed.value >= min && parsed.value <= max)) return parsed
      return why
    },
  }
}

/** A list that names at least one. */
export function filled(option: Option<readonly string[]>, why = 'names no file'): Option<readonly string[]> {
  return {
    ...option,
    parse: (texts) => {
      const parsed = option.parse(texts)
      return typeof parsed === 'string' || parsed.value.length > 0 ? parsed : why
    },
  }
}

/** One that need not be given: undefined then. */
export const optional = <T>(option: Option<T>): Option<T | undefined> => ({
  ...option,
  fallback: { value: undefined, shown: '' },
})
