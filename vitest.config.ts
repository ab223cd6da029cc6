import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need what a machine may lack: configurations of their own run them.
    exclude: ['test/cluster/**', 'test/vm/**', 'test/nodes/**'],
    sequence: { shuffle: true },
    expect: { requireAssertions: true, poll: { timeout: 20_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      // The pure rooms, whole: what cannot be reached there has no place there.
      include: [
        'contract/**',
        'settings/**',
        'webhook/policy/**',
        'webhook/admission/**',
        'webhook/advisor/core/**',
        'enforcer/core/**',
      ],
      reporter: [['text', { skipFull: true }]],
      thresholds: { lines: 100, functions: 100, statements: 100, branches: 100 },
    },
  },
})
