import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import type { Mutant } from './mutants.ts'

/** The mutant that stands in its file's place, as JSON: `{"path", "start", "end", "replacement"}`. */
const mutant = JSON.parse(process.env['MUTANT'] ?? '{}') as Partial<Mutant> & { readonly path?: string }

/** One room's tests on its sources with one mistake in them. */
export default defineConfig({
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      transform(code, id) {
        const { path, start = 0, end = 0, replacement = '' } = mutant
        return path !== undefined && id === resolve(path)
          ? code.slice(0, start) + replacement + code.slice(end)
          : undefined
      },
    },
  ],
  test: {
    include: ['test/unit/**/*.test.ts'],
    // In one process, which can be ended where a mutant never ends.
    pool: 'threads',
    // It would give each mutant what the one before it was.
    fsModuleCache: false,
    bail: 1,
    testTimeout: 20_000,
    reporters: [],
  },
})
