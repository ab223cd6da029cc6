import { defineConfig } from 'vitest/config'

/** The suites on nodes of other kinds: each starts a machine of its own, one at a time. */
export default defineConfig({
  test: {
    include: ['test/nodes/**/*.test.ts'],
    globalSetup: ['test/support/vm/images.ts'],
    fileParallelism: false,
    expect: { requireAssertions: true },
    // An emulated machine on a busy host is several times slower than on a calm one.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
  },
})
