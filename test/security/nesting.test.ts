import { readFileSync } from 'node:fs'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { loadPolicies } from '../../webhook/policy/load.ts'
import { createReviewer } from '../../webhook/server/reviewer.ts'
import { createValidator } from '../../webhook/server/validator.ts'
import { createApps } from '../support/https/serving.ts'
import { policiesOf } from '../support/policies.ts'
import { reviewOf } from '../support/reviews.ts'

const POLICIES = policiesOf(readFileSync(new URL('../fixtures/policies/gold.yaml', import.meta.url), 'utf8'))
const DEPTH = 200_000
const NESTED = [
  ['lists', '['.repeat(DEPTH) + ']'.repeat(DEPTH)],
  ['maps', '{"a":'.repeat(DEPTH) + '1' + '}'.repeat(DEPTH)],
] as const

function createRealApp() {
  const deps = {
    readRulebook: () => ({ policies: POLICIES, exemptNamespaces: [] }),
    findNamespace: (name: string) => ({ name, labels: { 'iops-limit/enforce': 'gold' } }),
    onBroken: (error: unknown) => {
      throw error
    },
  }
  const reviewer = createReviewer(deps)
  return createApps({ reviewer, validator: createValidator({ ...deps, readNamespaces: () => [] }) }).app
}

describe.each(NESTED)('JSON of 200,000 nested %s', (_, nested) => {
  const text = JSON.stringify(reviewOf({}))

  test.each([
    ['the body', nested, 400],
    ['a field that nobody reads', text.replace('"spec":{', `"spec":{"x":${nested},`), 200],
    ['the annotations', text.replace(/"annotations":\{[^}]*\}/, `"annotations":{"a":${nested}}`), 400],
    ['managedFields', text.replace('"metadata":{', `"metadata":{"managedFields":${nested},`), 200],
  ])('in place of %s', async (_place, body, status) => {
    const app = createRealApp()
    for (const path of ['/mutate', '/validate']) {
      const answer = await request(app).post(path).type('application/json').send(body)
      expect(answer.status).toBe(status)
    }
  })
})

test('a policy file of 100,000 nested lists, or of aliases that unfold without end, is refused in words', () => {
  const bomb = Array.from({ length: 40 }, (_, index) =>
    index === 0
      ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
      : `a${index}: &a${index} [${`*a${index - 1}, `.repeat(9)}]`,
  ).join('\n')
  for (const text of ['['.repeat(100_000) + ']'.repeat(100_000), bomb]) {
    const loaded = loadPolicies([{ name: 'a.yaml', text }])
    expect(loaded.ok ? 'loaded' : loaded.problems[0]?.reason).toMatch(/^is not YAML: /)
  }
})
