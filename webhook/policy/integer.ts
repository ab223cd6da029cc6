/** Whole numbers as Go's `strconv.ParseInt(text, 10, 64)` takes them, by which Kubernetes compares labels. */
export function parseInt64(text: string): bigint | undefined {
  const digits = /^[+-]?0*(\d{1,19})$/.exec(text)?.[1]
  if (digits === undefined) return undefined
  const value = text.startsWith('-') ? -BigInt(digits) : BigInt(digits)
  return value === BigInt.asIntN(64, value) ? value : undefined
}
