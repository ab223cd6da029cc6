/** Texts as the API server passes them on. Source: RFC 7234 5.5 by k8s.io/apiserver/pkg/warning and endpoints/filters/warning.go. */

/** Longer warnings are cut by the API server once all together pass 4,096: so none is longer, and there are no more than that allows. */
const LONGEST_WARNING = 256
const MOST_WARNINGS = 16

/** One line of printable ASCII; what is not becomes its escape, so that nothing vanishes. */
export function toPrintable(text: string): string {
  if (isPrintable(text)) return text
  return text.replaceAll(/[^\x20-\x7e]/gu, (character) => {
    const code = Number(character.codePointAt(0))
    if (/\s/.test(character)) return ' '
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Nearly all are: no pattern needs to be set going for them. */
function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

/** Cut to a length in characters, with three dots where something is missing. */
export const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 3)}...`

/** In the given order, each saying whose it is, none twice; a last one tells how many more there are. */
export function toWarnings(texts: readonly string[]): readonly string[] {
  const warnings = [...new Set(texts.map((text) => cut(toPrintable(`iops-limit: ${text}`), LONGEST_WARNING)))]
  if (warnings.length <= MOST_WARNINGS) return warnings
  const shown = warnings.slice(0, MOST_WARNINGS - 1)
  return [...shown, `iops-limit: and ${warnings.length - shown.length} more warnings`]
}
