/**
 * Whether a suite that needs something of the machine can run: where it cannot, that is said aloud, and in CI it is a
 * failure, since a suite that is silently skipped proves nothing.
 */
export function requirement(suite: string, obstacle: string | undefined): boolean {
  if (obstacle === undefined) return true
  const message = `SKIPPED: ${suite}: ${obstacle}`
  if (process.env['CI'] === 'true') throw new Error(`${message} (in CI a skipped suite is a failure)`)
  console.warn(message)
  return false
}
