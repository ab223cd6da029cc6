import { readFileSync } from 'node:fs'
import request from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { loadNamespaces, loadPolicies } from '../../webhook/policy/load.ts'
import { createReviewer, type ReviewerDeps } from '../../webhook/server/reviewer.ts'
import { createApps } from '../support/https/serving.ts'
import { policiesOf } from '../support/policies.ts'
import { patchOf, reviewOf } from '../support/reviews.ts'

const POLICIES = policiesOf(readFileSync(new URL('../fixtures/policies/gold.yaml', import.meta.url), 'utf8'))

const DEPS: ReviewerDeps = {
  readRulebook: () => ({ policies: POLICIES, exemptNamespaces: [] }),
  findNamespace: (name) => ({ name, labels: { 'iops-limit/enforce': 'gold' } }),
  onBroken: (error) => {
    throw error
  },
}

const PROTOTYPES = [Object.prototype, Array.prototype, String.prototype, Function.prototype]
const shapeOf = (prototype: object): string => Reflect.ownKeys(prototype).map(String).sort().join()
const BEFORE = PROTOTYPES.map(shapeOf)

afterEach(() => {
  expect(PROTOTYPES.map(shapeOf)).toEqual(BEFORE)
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})

/** As text, since an object literal would set its prototype. */
const POISONS = [
  '"__proto__":{"polluted":"yes","iops-limit/limit":"max"}',
  '"constructor":{"prototype":{"polluted":"yes"}}',
  '"__proto__":null',
  '"toString":"yes","hasOwnProperty":"yes","valueOf":"yes"',
]

/** The review with the poison first in every object of it. */
const poison = (text: string, piece: string): string =>
  text.replaceAll('{}', `{${piece}}`).replaceAll(/\{(?=")/g, `{${piece},`)

describe('a review', () => {
  const good = JSON.stringify(reviewOf({ 'iops-limit/read-iops': '300' }))

  test.each(POISONS)(
    'with %s in every object is answered with a status of our own, and changes no prototype',
    async (piece) => {
      const { app } = createApps({ reviewer: createReviewer(DEPS) })
      const answer = await request(app).post('/mutate').type('application/json').send(poison(good, piece))
      expect([200, 400]).toContain(answer.status)
      expect(JSON.stringify(answer.body)).not.toContain('"polluted"')
    },
  )

  test('whose annotations have __proto__ is limited by what stands beside it', async () => {
    const { app } = createApps({ reviewer: createReviewer(DEPS) })
    const text = good.replace('"annotations":{', '"annotations":{"__proto__":"max","constructor":"max",')
    const answer = await request(app).post('/mutate').type('application/json').send(text)
    expect(answer.status).toBe(200)
    const paths = patchOf(answer.body as Parameters<typeof patchOf>[0]).map(
      (operation) => (operation as { readonly path: string }).path,
    )
    expect(paths).toContain('/metadata/annotations/iops-limit~1policy')
    expect(paths.filter((path) => /proto|constructor/.test(path))).toEqual([])
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'of a namespace %s, in containers of that name, finds no rule or policy there',
    async (name) => {
      const { app } = createApps({
        reviewer: createReviewer({
          ...DEPS,
          findNamespace: (namespace) => ({ name: namespace, labels: { 'iops-limit/enforce': name } }),
        }),
      })
      const review = reviewOf({ [`container.iops-limit/${name}`]: 'read-iops=5' })
      const object = { ...review.request.object, spec: { containers: [{ name, image: name }] } }
      const sent = { ...review, request: { ...review.request, namespace: name, object } }
      const answer = await request(app).post('/mutate').send(sent)
      expect(answer.status).toBe(200)
      expect(answer.body).toMatchObject({ response: { allowed: true } })
      expect(answer.body).not.toHaveProperty('response.patch')
      expect(JSON.stringify(answer.body)).toContain('there is no policy of that name')
    },
  )
})

describe('a policy file', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('with the key %s is refused, by name', (key) => {
    for (const text of [
      `apiVersion: policy.iops-limit/v1alpha1\nkind: IOLimitPolicy\nmetadata: {name: a}\nspec:\n  ${key}: {polluted: yes}\n  rules: [{name: a}]\n`,
      `apiVersion: policy.iops-limit/v1alpha1\nkind: IOLimitPolicy\nmetadata: {name: a}\nspec:\n  rules: [{name: a, max: {${key}: 5}}]\n`,
    ]) {
      const loaded = loadPolicies([{ name: 'a.yaml', text }])
      expect(loaded.ok ? [] : loaded.problems.map(({ field }) => field).join()).toContain(key)
    }
  })

  test('with a merge key reaches no prototype either', () => {
    const text =
      'kind: Namespace\nmetadata:\n  name: a\n  labels:\n    <<: {__proto__: {polluted: "yes"}}\n    a: b\n'
    const loaded = loadNamespaces([{ name: 'a.yaml', text }])
    expect(loaded.ok ? [...loaded.value.values()] : 'refused').toBe('refused')
  })
})
