import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import jsonpatch, { type Operation } from 'fast-json-patch'
import { describe, expect, it } from 'vitest'
import { answerFailure, answerReview, type World } from '../../../webhook/admission/answer.ts'
import type { ApplyPatch } from '../../../webhook/admission/patch.ts'
import { parseReview, type Review } from '../../../webhook/admission/review.ts'
import { policiesOf } from '../../support/policies.ts'
import {
  findResponseFaults,
  patchOf,
  RECORDED_NAMES,
  type RecordedReview,
  recordedReview,
  reviewOf,
} from '../../support/reviews.ts'

const POLICIES = policiesOf(
  readFileSync(new URL('../../fixtures/policies/gold.yaml', import.meta.url), 'utf8'),
)

const worldOf = (labels: Readonly<Record<string, string>>): World => ({
  namespace: { name: 'rec', labels },
  policies: POLICIES,
  exemptNamespaces: ['kube-system'],
})
const GOLD = worldOf({ 'iops-limit/enforce': 'gold' })

function parsed(review: RecordedReview): Review {
  const result = parseReview(review)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.value
}

const answer = (review: RecordedReview, world: World = GOLD, apply?: ApplyPatch) =>
  answerReview(parsed(review), world, apply)

/** The object as the API server would go on with it. */
const patched = (review: RecordedReview, world: World = GOLD) =>
  jsonpatch.applyPatch(
    structuredClone(review.request.object),
    patchOf(answer(review, world).body) as Operation[],
    true,
  ).newDocument

describe('every recorded review', () => {
  it.each(RECORDED_NAMES)('%s gets an answer that the API server takes', (name) => {
    const review = recordedReview(name)
    const { body, record } = answer(review)
    expect(findResponseFaults(review.request.uid, body)).toEqual([])
    expect(record).toMatchObject({
      uid: review.request.uid,
      operation: review.request.operation,
      namespace: 'rec',
      dryRun: review.request.dryRun,
    })
  })

  it('is decided as it should be', () => {
    const outcomes = RECORDED_NAMES.map((name) => {
      const { record } = answer(recordedReview(name))
      return `${name.replace('.json', '')}: ${record.resource} ${record.name} ${record.outcome} ${record.reason ?? record.rule ?? ''}`
    })
    expect(outcomes).toEqual([
      '01-create-namespaces: namespaces rec untouched not-a-pod',
      '02-update-namespaces: namespaces rec untouched not-a-pod',
      '03-create-deployments: apps/deployments web untouched not-a-pod',
      '04-create-pods: pods web-5974c5bb9c-* defaulted everything-else',
      '05-create-pods: pods one defaulted databases',
      '06-update-pods: pods one defaulted databases',
      '07-update-pods: pods one defaulted databases',
      '08-create-pods-dryrun: pods dry defaulted everything-else',
      '09-create-statefulsets: apps/statefulsets pg untouched not-a-pod',
      '10-create-pods: pods pg-0 defaulted databases',
      '11-create-cronjobs: batch/cronjobs c1 untouched not-a-pod',
      '12-create-jobs: batch/jobs j1 untouched not-a-pod',
      '13-create-pods: pods j1-* defaulted everything-else',
      '14-update-pods-ephemeralcontainers: pods/ephemeralcontainers one untouched not-a-pod',
      '15-create-jobs: batch/jobs c1-29920459 untouched not-a-pod',
      '16-create-pods: pods c1-29920459-* defaulted everything-else',
    ])
  })
})

describe('the patch', () => {
  it('makes the map where it is missing or null, and only there', () => {
    for (const annotations of [undefined, null]) {
      expect(patchOf(answer(reviewOf(annotations)).body).map(({ op, path }) => `${op} ${path}`)).toEqual([
        'add /metadata/annotations',
      ])
      expect(patched(reviewOf(annotations))?.metadata.annotations).toMatchObject({
        'iops-limit/policy': 'gold/databases',
      })
    }
    expect(patchOf(answer(reviewOf({})).body)[0]).toEqual({
      op: 'add',
      path: '/metadata/annotations/iops-limit~1read-iops',
      value: '2000',
    })
  })

  it('escapes and keeps the keys of others, however they are called', () => {
    const others = { 'a~b/c': '1', 'a/b~1': '2', '': '3', constructor: '4', 'x"y': '5' }
    expect(patched(reviewOf({ ...others, 'nvme-iops': '400' }))?.metadata.annotations).toEqual({
      ...others,
      'iops-limit/limit': '400',
      'iops-limit/read-bps': '200Mi',
      'iops-limit/write-bps': '100Mi',
      'iops-limit/policy': 'gold/databases',
      'iops-limit/defaulted': 'read-bps,write-bps',
    })
  })

  it('is none where there is nothing to change', () => {
    const once = reviewOf(patched(reviewOf({}))?.metadata.annotations)
    expect(answer(once).body.response).toEqual({
      uid: once.request.uid,
      allowed: true,
      auditAnnotations: expect.anything() as unknown,
    })
    expect(answer(once).record.outcome).toBe('allowed')
  })

  it('that does not apply, or gives something else, is not sent: the pod goes through with a warning', () => {
    const broken: readonly ApplyPatch[] = [
      () => {
        throw new Error('no')
      },
      (document) => document,
      () => ({}),
      // As many annotations as were decided, of which one is not what it should be.
      (document, patch) => {
        const value = { ...jsonpatch.applyPatch(document, patch as Operation[]).newDocument }
        const { annotations } = (value as { metadata: { annotations: Record<string, string> } }).metadata
        annotations['iops-limit/read-iops'] = '1'
        return value
      },
    ]
    for (const apply of broken) {
      const { body, record } = answer(reviewOf({}), GOLD, apply)
      expect(body.response).toEqual({
        uid: record.uid,
        allowed: true,
        warnings: ['iops-limit: its own patch did not apply: the pod was let through without limits'],
      })
      expect(record).toMatchObject({ outcome: 'failed', reason: 'its own patch did not apply' })
    }
  })

  it('is not carried out on the object that came in', () => {
    const review = reviewOf({ 'nvme-iops': '400' })
    const before = structuredClone(review)
    answer(review)
    expect(review).toEqual(before)
  })
})

describe('a refusal', () => {
  it('names policy, rule, key, value, bound and pod, with a status that kubectl shows', () => {
    const { body, record } = answer(reviewOf({ 'iops-limit/read-iops': '6000' }))
    expect(body.response.allowed).toBe(false)
    expect(body.response.status).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'policy gold, rule databases: iops-limit/read-iops "6000" is above the max of 5000 for readIOPS; write 5000 or less (pod rec/one)',
    })
    expect(body.response).not.toHaveProperty('patch')
    expect(record).toMatchObject({
      outcome: 'refused',
      policy: 'gold',
      rule: 'databases',
      violations: ['iops-limit/read-iops "6000" is above the max of 5000 for readIOPS; write 5000 or less'],
    })
  })

  it('of a pod without a name yet names what it will begin with', () => {
    const review = recordedReview('04')
    if (review.request.object) review.request.object.metadata.annotations = { 'iops-limit/limit': '9999' }
    expect(answer(review).body.response.status?.message).toContain('(pod rec/web-5974c5bb9c-*)')
  })

  it('is the same in a dry run', () => {
    const real = answer(reviewOf({ 'iops-limit/limit': '1' }))
    const dry = answer(reviewOf({ 'iops-limit/limit': '1' }, (review) => (review.request.dryRun = true)))
    expect(dry.body).toEqual(real.body)
    expect(dry.record).toEqual({ ...real.record, dryRun: true })
  })
})

describe('what is let through as it is', () => {
  it.each(['DELETE', 'CONNECT'])('%s', (operation) => {
    const review = reviewOf({ 'iops-limit/limit': 'x' }, (changing) => {
      changing.request.operation = operation
      changing.request.object = null
    })
    expect(answer(review).body.response).toEqual({ uid: review.request.uid, allowed: true })
  })

  it.each([
    ['another group', { group: 'metrics.k8s.io', version: 'v1', resource: 'pods' }, undefined],
    ['another resource', { group: '', version: 'v1', resource: 'configmaps' }, undefined],
    ['a subresource that keeps the metadata', { group: '', version: 'v1', resource: 'pods' }, 'resize'],
    ['eviction', { group: '', version: 'v1', resource: 'pods' }, 'eviction'],
  ])('%s', (_, resource, subResource) => {
    const review = reviewOf({ 'iops-limit/limit': 'x' }, (changing) => {
      changing.request.resource = resource
      if (subResource !== undefined) changing.request.subResource = subResource
    })
    expect(answer(review)).toMatchObject({
      body: { response: { allowed: true } },
      record: { outcome: 'untouched', reason: 'not-a-pod', warnings: 0 },
    })
  })

  it('a pod of a namespace that nobody knows, with a warning', () => {
    expect(answer(reviewOf({}), { ...GOLD, namespace: undefined }).body.response.warnings).toEqual([
      'iops-limit: namespace rec is not known here: the pod was let through without limits',
    ])
    const forged = answer(reviewOf({ 'iops-limit/policy': 'gold/vip' }), { ...GOLD, namespace: undefined })
    expect(patchOf(forged.body)).toEqual([{ op: 'remove', path: '/metadata/annotations/iops-limit~1policy' }])
    expect(forged.record).toMatchObject({ outcome: 'changed', reason: 'unknown-namespace', warnings: 2 })
    const nowhere = reviewOf({}, (review) => delete review.request.namespace)
    expect(answer(nowhere, { ...GOLD, namespace: undefined }).body.response.warnings).toEqual([
      'iops-limit: namespace (none) is not known here: the pod was let through without limits',
    ])
  })

  it('a mirror pod, wherever it stands', () => {
    const mirror = reviewOf({ 'kubernetes.io/config.mirror': 'abc' })
    for (const world of [GOLD, { ...GOLD, namespace: undefined }]) {
      const { body, record } = answer(mirror, world)
      expect(body.response).toEqual({ uid: record.uid, allowed: true })
      expect(record).toMatchObject({ outcome: 'untouched', reason: 'mirror-pod', defaulted: [] })
    }
  })

  it('a pod of a namespace that has not opted in, but for what only admission writes', () => {
    expect(answer(reviewOf(null), worldOf({})).body.response).not.toHaveProperty('patch')
    expect(answer(reviewOf(null), worldOf({})).record).toMatchObject({
      outcome: 'untouched',
      reason: 'not-enforced',
      defaulted: [],
      violations: [],
    })
    const { body, record } = answer(reviewOf({ 'iops-limit/policy': 'gold/vip' }), worldOf({}))
    expect(patchOf(body)).toEqual([{ op: 'remove', path: '/metadata/annotations/iops-limit~1policy' }])
    expect(body.response.warnings).toEqual([
      'iops-limit: iops-limit/policy is written by admission only: the given value was dropped',
    ])
    expect(record).toMatchObject({ outcome: 'changed', reason: 'not-enforced' })
  })
})

describe('subresources that reach the annotations', () => {
  it('pods/status is held to the bounds', () => {
    const review = recordedReview('06')
    review.request.subResource = 'status'
    if (review.request.object) review.request.object.metadata.annotations = { 'iops-limit/limit': '9999' }
    expect(answer(review)).toMatchObject({
      body: { response: { allowed: false } },
      record: { resource: 'pods/status' },
    })
  })

  it.each([
    ['pods/binding', { subResource: 'binding' }],
    ['bindings', { resource: { group: '', version: 'v1', resource: 'bindings' } }],
  ])('%s carries none of our keys to a pod', (_, request) => {
    const bindingOf = (metadata: unknown) =>
      reviewOf({}, (review) => {
        Object.assign(review.request, request)
        review.request.object = {
          kind: 'Binding',
          metadata,
          target: { kind: 'Node', name: 'node-a' },
        } as unknown as RecordedReview['request']['object']
      })
    const { body, record } = answer(
      bindingOf({
        annotations: { 'iops-limit/limit': 'max', 'container.iops-limit/main': 'limit=max', other: 'x' },
      }),
    )
    expect(patchOf(body)).toEqual([
      { op: 'remove', path: '/metadata/annotations/iops-limit~1limit' },
      { op: 'remove', path: '/metadata/annotations/container.iops-limit~1main' },
    ])
    expect(body.response.warnings?.[0]).toBe(
      'iops-limit: iops-limit/limit on a Binding was dropped: limits are set on the pod',
    )
    expect(record.outcome).toBe('changed')
    for (const metadata of [undefined, {}, { annotations: null }]) {
      expect(answer(bindingOf(metadata)).body.response).toEqual({ uid: record.uid, allowed: true })
      expect(answer(bindingOf(metadata)).record.outcome).toBe('untouched')
    }
    expect(
      answer(bindingOf({ annotations: { 'iops-limit/limit': '5' } }), GOLD, (document) => document).record,
    ).toMatchObject({ outcome: 'failed', reason: 'its own patch did not apply' })
    const deleted = bindingOf({ annotations: { 'iops-limit/limit': '5' } })
    deleted.request.operation = 'DELETE'
    expect(answer(deleted).body.response).toEqual({ uid: record.uid, allowed: true })
    expect(parseReview(bindingOf({ annotations: 5 })).ok).toBe(false)
    expect(parseReview(bindingOf(5)).ok).toBe(false)
    expect(
      parseReview(
        reviewOf({}, (review) => {
          Object.assign(review.request, request)
          review.request.object = null
        }),
      ).ok,
    ).toBe(false)
  })

  it('pods/ephemeralcontainers is passed untouched: it keeps the metadata, and a patch would be dropped', () => {
    const review = recordedReview('14')
    for (const image of ['registry.test/pause:1', 'busybox']) {
      Object.assign(review.request.object!.spec, { ephemeralContainers: [{ name: 'istio-proxy', image }] })
      const { body, record } = answer(review)
      expect(body.response).toEqual({ uid: review.request.uid, allowed: true })
      expect(record).toMatchObject({
        resource: 'pods/ephemeralcontainers',
        outcome: 'untouched',
        reason: 'not-a-pod',
      })
    }
  })
})

describe('a pod made to be slow', () => {
  /** As many keys as a request of 3 MiB holds: what is not linear would take minutes. */
  const MANY = 40_000
  const overrides = (value: string) =>
    Object.fromEntries(Array.from({ length: MANY }, (_, index) => [`container.iops-limit/c${index}`, value]))

  it('is refused in a few sentences', () => {
    const { body, record } = answer(reviewOf(overrides('read-iops=9000')))
    expect(record.violations).toHaveLength(21)
    expect(record.violations.at(-1)).toBe(`and ${MANY - 20} more`)
    expect(body.response.status?.message).toHaveLength(2048)
  })

  it('is updated: only what is new or worse counts', () => {
    const review = recordedReview('06')
    review.request.object!.metadata.annotations = {
      ...overrides('read-iops=9000,x'),
      'iops-limit/limit': '800',
    }
    review.request.oldObject!.metadata.annotations = overrides('read-iops=9000,x')
    expect(answer(review).body.response).toMatchObject({ allowed: true })
    review.request.object!.metadata.annotations = overrides('read-iops=9001')
    review.request.oldObject!.metadata.annotations = overrides('read-iops=9000')
    expect(answer(review).body.response).toMatchObject({ allowed: false })
  })

  it('is bound, and loses every key', () => {
    const review = reviewOf({}, ({ request }) => {
      request.subResource = 'binding'
      request.object!.metadata.annotations = overrides('limit=5')
    })
    expect(patchOf(answer(review).body)).toHaveLength(MANY)
  })

  it('has an override or a name without end', () => {
    const review = reviewOf(
      { 'container.iops-limit/one': 'limit=5,'.repeat(100_000) },
      ({ request }) => (request.name = 'x'.repeat(1_000_000)),
    )
    expect(answer(review).record).toMatchObject({
      name: `${'x'.repeat(250)}...`,
      violations: [
        expect.stringContaining(
          'is longer than 512 characters; write such as "read-iops=800,write-bps=50Mi"',
        ),
      ],
    })
  })
})

describe('a failure of ours', () => {
  it('lets the pod through and says so', () => {
    const review = parsed(reviewOf({}))
    expect(answerFailure(review, 'an internal error').body.response).toEqual({
      uid: review.uid,
      allowed: true,
      warnings: ['iops-limit: an internal error: the pod was let through without limits'],
    })
  })
})

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('500', '2000', '9999', 'max', '10Mi', 'pod', 'read-iops'),
)
const keys = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'iops-limit/limit',
    'iops-limit/read-iops',
    'iops-limit/bps',
    'iops-limit/scope',
    'iops-limit/policy',
    'iops-limit/defaulted',
    'container.iops-limit/one',
    'nvme-iops',
    '__proto__',
    'constructor',
  ),
)

describe('always', () => {
  it('the API server takes the answer, its patch applies, and a second pass over it changes nothing', () => {
    fc.assert(
      fc.property(fc.option(fc.dictionary(keys, anything), { nil: null }), (annotations) => {
        const review = reviewOf(annotations)
        const { body } = answer(review)
        expect(findResponseFaults(review.request.uid, body)).toEqual([])
        if (!body.response.allowed) return
        const again = reviewOf(patched(review)?.metadata.annotations)
        expect(answer(again).body.response.patch).toBeUndefined()
        for (const [key, value] of Object.entries(annotations ?? {})) {
          if (!/^(container\.)?iops-limit\/|^nvme-/.test(key))
            expect(patched(review)?.metadata.annotations?.[key]).toBe(value)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
