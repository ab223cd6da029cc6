import { defineConfig } from 'vitest/config'

/** The suites on a whole machine: kernel, disk, kubelet and control plane are real, and the chart is installed there once. */
export default defineConfig({
  test: {
    include: ['test/vm/**/*.test.ts'],
    globalSetup: ['test/support/vm/setup.ts'],
    fileParallelism: false,
    expect: { requireAssertions: true },
    testTimeout: 300_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
  },
})
