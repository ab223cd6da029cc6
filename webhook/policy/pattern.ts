/** Which names a policy means: globs, or regular expressions in an engine whose time is linear in the text. */
import { RE2JS } from 're2js'
import { messageOf } from '../../contract/problem.ts'
import { type Field, readList, readString, refuse } from '../../contract/reader.ts'

export interface Pattern {
  /** Work for each character of a text, at worst, in steps of the regular expressions' engine. */
  readonly size: number
  /** Of the whole text: `pause` does not match `my-pausing-app`. */
  readonly matches: (text: string) => boolean
}

/** Bounds on what a match costs, the latter two in steps a character. */
const LONGEST_PATTERN = 256
const LARGEST_PATTERN = 500
const LARGEST_LIST = 1000

export const readGlobs = (field: Field): readonly Pattern[] =>
  readPatterns(field, (_, glob) => parseGlob(glob))

export const readRegexes = (field: Field): readonly Pattern[] =>
  readPatterns(field, (item, source) => {
    const pattern = parseRegex(source)
    if (typeof pattern === 'string')
      return refuse(
        item,
        `is not a regular expression: ${pattern}`,
        'write RE2 syntax (no look-around, no back-references)',
      )
    if (pattern.size <= LARGEST_PATTERN) return pattern
    return refuse(
      item,
      `unfolds to ${pattern.size} steps, and ${LARGEST_PATTERN} are taken`,
      'write * or + in place of large repeat counts',
    )
  })

function readPatterns(
  field: Field,
  parse: (item: Field, text: string) => Pattern | undefined,
): readonly Pattern[] {
  return (readList(field) ?? []).flatMap((item) => {
    const text = readString(item)
    return text === undefined || !isUsable(item, text) ? [] : (parse(item, text) ?? [])
  })
}

function isUsable(item: Field, text: string): boolean {
  if (text !== '' && text.length <= LONGEST_PATTERN) return true
  refuse(item, `is a pattern of ${text.length} characters`, `write 1 to ${LONGEST_PATTERN}`)
  return false
}

/** Patterns that are tried together have to be cheap together. */
export function checkSize(field: Field, things: string, patterns: readonly Pattern[]): void {
  const size = sizeOf(patterns)
  if (size > LARGEST_LIST)
    refuse(
      { ...field, value: undefined },
      `holds patterns for ${things} of ${size} steps together, and ${LARGEST_LIST} are taken`,
      'write fewer or simpler patterns',
    )
}

export const sizeOf = (patterns: readonly Pattern[]): number =>
  patterns.reduce((sum, { size }) => sum + size, 0)

/** So many steps of a glob cost what one of a regular expression does. */
const GLOB_STEPS = 32

/** `*` stands for any characters, none and `/` included; `?` for one; all else for itself. */
export function parseGlob(glob: string): Pattern {
  if (!/[*?]/.test(glob)) return { size: 1, matches: (text) => text === glob }
  // Stars in a row say no more than one.
  const simple = glob.replaceAll(/\*+/g, '*')
  const size = 1 + Math.ceil(simple.length / GLOB_STEPS)
  if (simple.includes('?')) return { size, matches: (text) => isGlobMatch(simple, text) }
  const pieces = simple.split('*')
  return { size, matches: (text) => hasPieces(pieces, text) }
}

/** What stands between stars: the first piece at the start, the last at the end, the others wherever they come next. */
function hasPieces(pieces: readonly string[], text: string): boolean {
  const last = pieces.length - 1
  let [index, from] = [0, 0]
  for (const piece of pieces) {
    const at = index === last ? text.length - piece.length : text.indexOf(piece, from)
    if (at < from || (index === 0 && at > 0) || !text.startsWith(piece, at)) return false
    from = at + piece.length
    index += 1
  }
  return true
}

const STAR = '*'.charCodeAt(0)
const ONE = '?'.charCodeAt(0)

/** Greedy with one point of return: the last star takes one character more at each failure. */
function isGlobMatch(glob: string, text: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let resume = 0
  while (from < text.length) {
    const wanted = glob.charCodeAt(at)
    if (wanted === STAR) {
      star = at++
      resume = from
    } else if (wanted === ONE || wanted === text.charCodeAt(from)) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++resume
    } else return false
  }
  if (glob[at] === '*') at++
  return at === glob.length
}

/** What the engine costs beside the program's own steps. */
const ENGINE_STEPS = 8

/** The pattern, or in words what is wrong with its source. */
export function parseRegex(source: string): Pattern | string {
  try {
    const compiled = RE2JS.compile(source)
    return { size: ENGINE_STEPS + compiled.programSize(), matches: (text) => compiled.testExact(text) }
  } catch (error) {
    return messageOf(error)
  }
}
