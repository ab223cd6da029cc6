/** Which names a policy means: globs, or regular expressions in an engine whose time is linear in the text. */
import { RE2JS } from 're2js'
import { messageOf } from '../../contract/problem.ts'
import { type Field, readStrings, refuse } from '../../contract/reader.ts'

/** Matches the whole text: `pause` does not match `my-pausing-app`. */
export type Pattern = (text: string) => boolean

/** Bounds on both sides: a match costs at most their product. Longer texts match nothing: no name or image is so long. */
const LONGEST_PATTERN = 256
const LONGEST_TEXT = 512

export function readGlobs(field: Field): readonly Pattern[] {
  return readStrings(field).flatMap((glob) => (isUsable(field, glob) ? [parseGlob(glob)] : []))
}

export function readRegexes(field: Field): readonly Pattern[] {
  return readStrings(field).flatMap((source) => {
    if (!isUsable(field, source)) return []
    const pattern = parseRegex(source)
    if (typeof pattern === 'function') return [pattern]
    refuse(
      { ...field, value: source },
      `is not a regular expression: ${pattern}`,
      'write RE2 syntax (no look-around, no back-references)',
    )
    return []
  })
}

function isUsable(field: Field, text: string): boolean {
  if (text !== '' && text.length <= LONGEST_PATTERN) return true
  refuse(
    { ...field, value: text },
    `holds a pattern of ${text.length} characters`,
    `write 1 to ${LONGEST_PATTERN}`,
  )
  return false
}

/** `*` stands for any characters, none and `/` included; `?` for one; all else for itself. */
export function parseGlob(glob: string): Pattern {
  if (!/[*?]/.test(glob)) return (text) => text === glob
  return (text) => text.length <= LONGEST_TEXT && isGlobMatch(glob, text)
}

/** Greedy with one point of return: the last star takes one character more at each failure. */
function isGlobMatch(glob: string, text: string): boolean {
  let [at, from, star, resume] = [0, 0, -1, 0]
  while (from < text.length) {
    if (glob[at] === '*') {
      star = at++
      resume = from
    } else if (glob[at] === '?' || glob[at] === text[from]) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++resume
    } else return false
  }
  while (glob[at] === '*') at++
  return at === glob.length
}

/** The pattern, or in words what is wrong with its source. */
export function parseRegex(source: string): Pattern | string {
  try {
    const compiled = RE2JS.compile(source)
    return (text) => text.length <= LONGEST_TEXT && compiled.matches(text)
  } catch (error) {
    return messageOf(error)
  }
}
