import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { loadNamespaces, loadPolicies } from '../../../webhook/policy/load.ts'
import { cutText, replaceFields } from '../../support/mutate.ts'
import { createRandom, runSeed } from '../../support/random.ts'

const FOLDER = new URL('../../fixtures/policies/', import.meta.url)
const FILES = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }))
const CASES = Number(process.env['FUZZ_CASES'] ?? 10_000)

describe('spoilt policy files', () => {
  it(`are loaded or refused with reasons, never thrown at (${CASES} cases)`, () => {
    const seed = runSeed()
    const random = createRandom(seed)
    let refused = 0
    for (let index = 0; index < CASES; index++) {
      const { name, text } = random.pick(FILES)
      const spoilt =
        index % 2 === 0
          ? cutText(text, random)
          : stringify(replaceFields(parseAllDocuments(text)[0]?.toJS(), random))
      const where = `seed ${seed}, case ${index}: ${spoilt}`
      for (const result of [
        loadPolicies([{ name, text: spoilt }]),
        loadNamespaces([{ name, text: spoilt }]),
      ]) {
        if (result.ok) continue
        refused++
        expect(result.problems.length, where).toBeGreaterThan(0)
        for (const { field, reason, cure } of result.problems)
          expect([field, reason, cure], where).not.toContain('')
      }
    }
    expect(refused).toBeGreaterThan(CASES / 4)
  }, 120_000)
})
