// Known weaknesses of what is shipped, by `npm audit`. A registry that does not answer is no all-clear: that is said loudly, and is
// exit code 77, for a check that did not take place.
// Usage: node scripts/audit.mjs     0 none known, 1 some are, 77 nobody could tell
import { spawnSync } from 'node:child_process'

const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' })
const { exitCode, text } = judge(error === undefined ? stdout : String(error))
console.log(text)
process.exitCode = exitCode

/** `npm audit --json` prints a report, or an object with the failure. */
export function judge(output) {
  const report = parse(output)
  const counts = report?.metadata?.vulnerabilities
  if (typeof counts?.total !== 'number') {
    const why = report?.error?.summary || report?.message || output.trim().split('\n')[0]
    return { exitCode: 77, text: `audit: NOT CHECKED, the registry tells nothing: ${why}` }
  }
  if (counts.total === 0)
    return { exitCode: 0, text: 'audit: no weakness is known of any package that is shipped' }
  const names = Object.values(report.vulnerabilities ?? {}).map(
    ({ name, severity }) => `${name} (${severity})`,
  )
  return { exitCode: 1, text: `audit: ${counts.total} known: ${names.join(', ')}; run npm audit --omit=dev` }
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
