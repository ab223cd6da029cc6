/** Text that comes in pieces, line by line. */
export interface LineSplitter {
  readonly feed: (text: string) => void
  /** What is wrong with the whole, as the end of a sentence. */
  readonly findFault: () => string | undefined
}

export interface LineOptions {
  /** Longest line, in UTF-16 units. */
  readonly longest: number
  /** Without its end; the first is 1. */
  readonly onLine: (line: string, number: number) => void
}

/** A last line without an end was cut off, and is none: half of a number is another number. */
export function createLineSplitter({ longest, onLine }: LineOptions): LineSplitter {
  let rest = ''
  let number = 0
  let isTooLong = false
  return {
    feed: (text) => {
      if (isTooLong) return
      let from = 0
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
        onLine(rest + text.slice(from, end), ++number)
        rest = ''
        from = end + 1
      }
      rest += text.slice(from)
      isTooLong = rest.length > longest
    },
    findFault: () => {
      if (isTooLong) return `has a line longer than ${longest} characters`
      return rest === '' ? undefined : 'ends within a line'
    },
  }
}
