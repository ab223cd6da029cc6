// Prints "PASSED FAILED" of a report of Vitest's JSON reporter; in CI a skipped test has failed.
// Usage: node scripts/count-tests.mjs REPORT
import { existsSync, readFileSync } from 'node:fs'

/** Full names of the tests that may be skipped in CI, each with the reason. */
const MAY_SKIP = new Map([])

const [report = ''] = process.argv.slice(2)
if (!existsSync(report)) {
  console.error('there is no report: the run ended before its tests')
  process.exit(1)
}
const tests = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap((file) => file.assertionResults)
const passed = tests.filter(({ status }) => status === 'passed')
const failed = tests.filter(({ status }) => status === 'failed')
const skipped = tests.filter((test) => !passed.includes(test) && !failed.includes(test))
const forbidden = skipped.filter(({ fullName }) => !MAY_SKIP.has(fullName))
for (const { fullName } of skipped) {
  console.error(
    `skipped: ${fullName}: ${MAY_SKIP.get(fullName) ?? 'FAILED, for nothing may be skipped here'}`,
  )
}
console.log(`${passed.length} ${failed.length + forbidden.length}`)
