import { readFileSync } from 'node:fs'
import jsonpatch, { type Operation } from 'fast-json-patch'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import type { AdmissionReviewResponse } from '../../../webhook/admission/response.ts'
import { createReviewer, type ReviewerDeps } from '../../../webhook/server/reviewer.ts'
import { createValidator } from '../../../webhook/server/validator.ts'
import { createApps } from '../../support/https/serving.ts'
import { policiesOf } from '../../support/policies.ts'
import {
  findResponseFaults,
  patchOf,
  RECORDED_NAMES,
  recordedReview,
  reviewOf,
} from '../../support/reviews.ts'

const POLICIES = policiesOf(
  readFileSync(new URL('../../fixtures/policies/gold.yaml', import.meta.url), 'utf8'),
)

const DEPS: ReviewerDeps = {
  readRulebook: () => ({ policies: POLICIES, exemptNamespaces: [] }),
  findNamespace: (name) => ({ name, labels: { 'iops-limit/enforce': 'gold' } }),
  onBroken: (error) => {
    throw error
  },
}

/** The applications with the real engine behind them, without sockets of their own. */
const createRealApps = () =>
  createApps({
    reviewer: createReviewer(DEPS),
    validator: createValidator({ ...DEPS, readNamespaces: () => [] }),
  })

describe('POST /mutate', () => {
  it('answers every recorded review so that the API server takes it, logs one line each, and counts them', async () => {
    const { app, opsApp, log } = createRealApps()
    for (const name of RECORDED_NAMES) {
      const review = recordedReview(name)
      const answer = await request(app).post('/mutate?timeout=10s').send(review)
      expect(answer.status, name).toBe(200)
      expect(findResponseFaults(review.request.uid, answer.body), name).toEqual([])
    }
    const decisions = log.map((line) => JSON.parse(line) as { readonly msg: string; readonly uid: string })
    expect(decisions.map(({ msg, uid }) => [msg, uid])).toEqual(
      RECORDED_NAMES.map((name) => ['decision', recordedReview(name).request.uid]),
    )
    const { text } = await request(opsApp).get('/metrics')
    const counted = [...text.matchAll(/^iops_limit_webhook_reviews_total\{.*\} (\d+)$/gm)].map(([, count]) =>
      Number(count),
    )
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(RECORDED_NAMES.length)
  })

  it('answers a refusal with 200 and the status in the review', async () => {
    const { app } = createRealApps()
    const answer = await request(app)
      .post('/mutate')
      .send(reviewOf({ 'iops-limit/limit': '9000' }))
    const expected = { response: { allowed: false, status: { code: 403, reason: 'Forbidden' } } }
    expect([answer.status, answer.body]).toMatchObject([200, expected])
  })

  it.each([
    [
      'another version',
      { apiVersion: 'admission.k8s.io/v1beta1', kind: 'AdmissionReview' },
      'apiVersion: "admission.k8s.io/v1beta1" is not a version spoken here; send admission.k8s.io/v1',
    ],
    [
      'no request',
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
      'request: is missing, not a map; write a map of keys and values',
    ],
  ])('answers %s with 400 and the reason', async (_, body, message) => {
    const { app } = createRealApps()
    const answer = await request(app).post('/mutate').send(body)
    expect([answer.status, answer.body]).toMatchObject([400, { error: { reason: 'not-a-review' } }])
    expect(answer.text).toContain(JSON.stringify(message).slice(1, -1))
  })

  it.each([
    ['get', '/mutate', 405],
    ['get', '/validate', 405],
    ['post', '/validate/', 404],
    ['post', '/Mutate', 404],
    ['post', '/mutate/', 404],
  ] as const)('%s %s: %i', async (method, path, expected) => {
    const { app } = createRealApps()
    expect((await request(app)[method](path)).status).toBe(expected)
  })
})

describe('POST /validate', () => {
  it('answers every recorded review so that the API server takes it, logs one line each, and counts them', async () => {
    const { app, opsApp, log } = createRealApps()
    for (const name of RECORDED_NAMES) {
      const review = recordedReview(name)
      const answer = await request(app).post('/validate?timeout=3s').send(review)
      expect(answer.status, name).toBe(200)
      expect(findResponseFaults(review.request.uid, answer.body), name).toEqual([])
      expect(answer.body, name).not.toHaveProperty('response.patch')
    }
    expect(log).toHaveLength(RECORDED_NAMES.length)
    for (const line of log)
      expect(JSON.parse(line)).toMatchObject({ msg: 'validation', seconds: expect.anything() as unknown })
    const { text } = await request(opsApp).get('/metrics')
    for (const line of [
      'iops_limit_webhook_validations_total{resource="apps/deployments",operation="CREATE",outcome="warned",dry_run="false"} 1',
      'iops_limit_webhook_validations_total{resource="pods",operation="CREATE",outcome="missed",dry_run="true"} 1',
      // What is not judged may be called anything.
      'iops_limit_webhook_validations_total{resource="other",operation="UPDATE",outcome="untouched",dry_run="false"} 1',
    ])
      expect(text).toContain(`${line}\n`)
    expect(text).not.toContain('iops_limit_webhook_reviews_total{')
  })

  it('counts what either refuses by the policy that decided', async () => {
    const { app, opsApp } = createRealApps()
    const review = reviewOf({ 'iops-limit/limit': '9000' })
    for (const path of ['/mutate', '/validate']) await request(app).post(path).send(review)
    const { text } = await request(opsApp).get('/metrics')
    expect([...text.matchAll(/^iops_limit_webhook_refusals_total.*$/gm)].map(([line]) => line)).toEqual([
      'iops_limit_webhook_refusals_total{policy="gold",dry_run="false"} 2',
      'iops_limit_webhook_refusals_total{policy="-",dry_run="false"} 0',
    ])
  })

  it('holds what /mutate made of a pod for right', async () => {
    const { app } = createRealApps()
    const review = reviewOf({ 'iops-limit/limit': '1200' })
    const mutated = (await request(app).post('/mutate').send(review)).body as AdmissionReviewResponse
    jsonpatch.applyPatch(review.request.object, patchOf(mutated) as Operation[], true)
    const answer = await request(app).post('/validate').send(review)
    expect(answer.body).toMatchObject({ response: { uid: review.request.uid, allowed: true } })
    expect(answer.body).not.toHaveProperty('response.warnings')
  })

  it('shares the bounds of /mutate', async () => {
    const { app } = createApps({ reviewer: createReviewer(DEPS), bounds: { maxBodyBytes: 100 } })
    expect((await request(app).post('/validate').send(reviewOf({}))).status).toBe(413)
    expect((await request(app).post('/validate').send('x').type('text/plain')).status).toBe(415)
  })
})
