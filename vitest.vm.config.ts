import { defineConfig } from 'vitest/config'

/** The suites on a whole machine: kernel, disk, kubelet and control plane are real, and the chart is installed there once. */
export default defineConfig({
  test: {
    include: ['test/vm/**/*.test.ts'],
    globalSetup: ['test/support/vm/setup.ts'],
    fileParallelism: false,
    expect: { requireAssertions: true },
    // An emulated machine on a busy host is several times slower than on a calm one.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
  },
})
