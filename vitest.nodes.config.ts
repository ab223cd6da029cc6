import { defineConfig } from 'vitest/config'

/** The suites on nodes of other kinds: each starts a machine of its own, one at a time. */
export default defineConfig({
  test: {
    include: ['test/nodes/**/*.test.ts'],
    globalSetup: ['test/support/vm/images.ts'],
    fileParallelism: false,
    expect: { requireAssertions: true },
    testTimeout: 300_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
  },
})
