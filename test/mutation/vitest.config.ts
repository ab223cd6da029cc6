import { defineConfig } from 'vitest/config'

/** One room's tests; which, the environment says. */
export default defineConfig({
  test: {
    include: [`${process.env['MUTATION_TESTS'] ?? 'test/unit'}/**/*.test.ts`],
    // In one process, which can be ended where a mutant never ends.
    pool: 'threads',
    // It would give each mutant what the one before it was.
    fsModuleCache: false,
    testTimeout: 120_000,
  },
})
