/** What the demo prints. */

const isTerminal = process.stdout.isTTY && process.env['NO_COLOR'] === undefined

const line = (text: string): void => void process.stdout.write(`${text}\n`)

/** A heading, and what runs. */
const title = (text: string, what: string): void =>
  line(`\n${isTerminal ? `\u001b[1m${text}\u001b[0m` : text}  (${what})`)

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  for (const row of rows)
    line(
      `   ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
    )
}

/** Long sentences under the table, each behind its first words. */
const note = (about: string, text: string): void => line(`   ${about}: ${text}`)

export const say = { line, title, table, note }

/** A step that did not hold ends the demo. */
export function check(holds: boolean, claim: string): void {
  if (!holds) throw new Error(claim)
}
