/** A text as XML takes it; characters that XML 1.0 has no way to write become their escape. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll(
      /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(/[\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`)

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export interface TestCase {
  readonly name: string
  readonly group: string
  /** Not there where the case passes. */
  readonly result?: {
    readonly kind: 'failure' | 'error' | 'skipped'
    readonly message: string
    readonly text: string
  }
  readonly out?: string
}

/** JUnit's XML, as CI systems read it (github.com/testmoapp/junitxml). */
export function formatJunit(suite: string, cases: readonly TestCase[]): string {
  const count = (kind: string): number => cases.filter(({ result }) => result?.kind === kind).length
  const totals = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escapeXml(suite)}" ${totals}>`,
    `  <testsuite name="${escapeXml(suite)}" ${totals}>`,
    ...cases.map(formatCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function formatCase({ name, group, result, out }: TestCase): string {
  const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(group)}"`
  const parts = [
    ...(result === undefined
      ? []
      : [
          `      <${result.kind} message="${escapeXml(result.message)}">${escapeXml(result.text)}</${result.kind}>`,
        ]),
    ...(out === undefined ? [] : [`      <system-out>${escapeXml(out)}</system-out>`]),
  ]
  return parts.length === 0 ? `${head}/>` : `${head}>\n${parts.join('\n')}\n    </testcase>`
}
