/** Lengths of time as a policy writes them. */

/** As Go writes them, in whole units, the largest first: `90s`, `15m`, `1h30m`. */
const GRAMMAR = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?$/

const UNITS = [
  { name: 'h', milliseconds: 3_600_000 },
  { name: 'm', milliseconds: 60_000 },
  { name: 's', milliseconds: 1000 },
] as const

/** Milliseconds; undefined where the text is no such length. */
export function parseLength(text: string): number | undefined {
  const found = text === '' ? null : GRAMMAR.exec(text)
  if (found === null) return undefined
  return UNITS.reduce((sum, { milliseconds }, index) => sum + Number(found[index + 1] ?? 0) * milliseconds, 0)
}

/** The shortest such text; whole seconds. */
export function formatLength(milliseconds: number): string {
  let rest = milliseconds
  const parts = UNITS.map(({ name, milliseconds: unit }) => {
    const count = Math.floor(rest / unit)
    rest -= count * unit
    return count === 0 ? '' : `${count}${name}`
  })
  return parts.join('') || '0s'
}
