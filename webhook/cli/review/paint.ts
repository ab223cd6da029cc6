/** Colours of a terminal. Source: ECMA-48, SGR. */
export type Paint = Readonly<
  Record<'red' | 'yellow' | 'green' | 'cyan' | 'grey' | 'bold', (text: string) => string>
>

const CODES = { red: 31, yellow: 33, green: 32, cyan: 36, grey: 90, bold: 1 } as const

const wrap =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`

export const COLOURED: Paint = {
  red: wrap(CODES.red),
  yellow: wrap(CODES.yellow),
  green: wrap(CODES.green),
  cyan: wrap(CODES.cyan),
  grey: wrap(CODES.grey),
  bold: wrap(CODES.bold),
}

const keep = (text: string): string => text

export const PLAIN: Paint = { red: keep, yellow: keep, green: keep, cyan: keep, grey: keep, bold: keep }

/** https://no-color.org: any value but an empty one switches colours off. */
export const choosePaint = (
  choice: 'auto' | 'always' | 'never',
  { isTerminal, noColor }: { readonly isTerminal: boolean; readonly noColor: string | undefined },
): Paint =>
  choice === 'always' || (choice === 'auto' && isTerminal && (noColor ?? '') === '') ? COLOURED : PLAIN
