import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../support/random.ts'
import { readCorpus } from './corpus.ts'
import { mutate } from './mutation.ts'
import { PARSERS } from './parsers.ts'

const PURE = [
  'contract',
  'settings',
  'webhook/policy',
  'webhook/admission',
  'webhook/advisor/core',
  'enforcer/core',
]
const CASES = 300

describe('the parsers', () => {
  test('of the pure rooms are all fuzzed', () => {
    const named = PURE.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => [
          ...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/^export (?:const|function) (parse\w+)/gm),
        ])
        .map(([, name]) => name),
    )
    const fuzzed = readFileSync('test/fuzz/parsers.ts', 'utf8')
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((name) => !new RegExp(`\\b${name}\\(`).test(fuzzed))).toEqual([])
  })

  test.each(PARSERS)(
    '$name: hold for the kept corpus, and for a few hundred texts made from it',
    ({ name, seeds, check }) => {
      const pool = [...seeds, ...readCorpus(name)]
      for (const text of pool) expect(() => check(text), text).not.toThrow()
      const random = createRandom(1)
      for (let index = 0; index < CASES; index += 1) {
        const text = mutate(random.pick(pool), pool, random)
        expect(() => check(text), text).not.toThrow()
      }
    },
  )
})
