/** Lines of a long text that comes in pieces, found among its bytes: only those that matter become texts, all others cost next to nothing. */
export interface LineFinder {
  /** The next bytes, of UTF-8; they are not kept. */
  readonly feed: (bytes: Buffer) => void
  /** What is wrong with the whole, as the end of a sentence. */
  readonly findFault: () => string | undefined
}

export interface LineOptions {
  /** Longest line, in bytes, of those that come in more than one piece. */
  readonly longest: number
  /** How a line begins that matters; none of these begins another one of them. */
  readonly beginnings: readonly string[]
  /** So many lines at the head of the text matter whatever they are. */
  readonly head: number
  /** Without its end. Lines of one piece come by their beginnings. */
  readonly onLine: (line: string) => void
}

/** A last line without an end was cut off, and is none: half of a number is another number. */
export function createLineFinder(options: LineOptions): LineFinder {
  const search: Search = {
    onLine: options.onLine,
    signs: options.beginnings.map((beginning) => Buffer.from(`\n${beginning}`)),
    head: options.head,
  }
  let rest: Buffer = Buffer.alloc(0)
  let isTooLong = false
  return {
    feed: (bytes) => {
      const first = bytes.indexOf(END)
      if (first === -1) {
        if (!isTooLong) rest = Buffer.concat([rest, bytes])
        isTooLong ||= rest.length > options.longest
      }
      if (first === -1 || isTooLong) return
      findLines(search, Buffer.concat([END_BYTES, rest, bytes.subarray(0, first + 1)]))
      const last = bytes.lastIndexOf(END)
      findLines(search, bytes.subarray(first, last + 1))
      rest = Buffer.from(bytes.subarray(last + 1))
    },
    findFault: () => {
      if (isTooLong) return `has a line longer than ${options.longest} bytes`
      return rest.length === 0 ? undefined : 'ends within a line'
    },
  }
}

const END = 10
const END_BYTES = Buffer.of(END)

interface Search {
  readonly onLine: (line: string) => void
  /** Beginnings, each behind the end of the line before. */
  readonly signs: readonly Buffer[]
  /** How many lines of the head are still to come. */
  head: number
}

/** Between an end of a line and another one. */
function findLines(search: Search, bytes: Buffer): void {
  let from = 0
  for (; search.head > 0 && from < bytes.length - 1; search.head -= 1) from = tell(search, bytes, from)
  for (const sign of search.signs)
    for (let at = bytes.indexOf(sign, from); at !== -1; at = bytes.indexOf(sign, at))
      at = tell(search, bytes, at)
}

/** The line behind this end; gives where its own is. */
function tell({ onLine }: Search, bytes: Buffer, before: number): number {
  const end = bytes.indexOf(END, before + 1)
  onLine(bytes.toString('utf8', before + 1, end))
  return end
}
