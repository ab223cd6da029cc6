import { defineConfig } from 'vitest/config'

/** The suites that start a real control plane: one at a time, since each is a machine's worth of processes. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    fileParallelism: false,
    sequence: { shuffle: true },
    expect: { requireAssertions: true },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
