import { describe, expect, it } from 'vitest'
import { parseReview } from '../../../webhook/admission/review.ts'
import { type RecordedReview, recordedReview, reviewOf } from '../../support/reviews.ts'

const problems = (body: unknown) => {
  const result = parseReview(body)
  return result.ok ? [] : result.problems.map(({ field, reason, cure }) => `${field} ${reason}; ${cure}`)
}

/** The problems of a pod's creation once something in it is changed. */
const changed = (change: (request: RecordedReview['request'], review: RecordedReview) => void) =>
  problems(reviewOf({}, (review) => change(review.request, review)))

describe('what is not an AdmissionReview is refused, with the field', () => {
  it.each([
    [null, ' is null, not a map; write a map of keys and values'],
    [[], ' is a list, not a map; write a map of keys and values'],
    ['x', ' is a text, not a map; write a map of keys and values'],
    [{}, 'apiVersion is not a version spoken here; send admission.k8s.io/v1'],
    [
      { apiVersion: 'admission.k8s.io/v1beta1', kind: 'AdmissionReview' },
      'apiVersion is not a version spoken here; send admission.k8s.io/v1',
    ],
    [{ apiVersion: 'admission.k8s.io/v1', kind: 'Pod' }, 'kind is not a review; send kind AdmissionReview'],
    [
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
      'request is missing, not a map; write a map of keys and values',
    ],
    [
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: {} },
      'request.uid is missing, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: '' } },
      "request.uid is empty; send the request's uid",
    ],
    [
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { operation: 'create' } },
      'request.operation is not an operation; send one of CREATE, UPDATE, DELETE, CONNECT',
    ],
    [
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { resource: {} } },
      'request.resource.resource is missing, not a text; write a text, in quotes where it looks like a number',
    ],
  ])('%j', (body, problem) => {
    expect(problems(body)).toContain(problem)
  })

  it.each<[string, (request: RecordedReview['request']) => void, string]>([
    [
      'no object',
      (request) => (request.object = null),
      'request.object is null, not a map; write a map of keys and values',
    ],
    [
      'no metadata',
      (request) => (request.object = {} as typeof request.object),
      'request.object.metadata is missing, not a map; write a map of keys and values',
    ],
    [
      'labels of another type',
      (request) => Object.assign(request.object!.metadata, { labels: { app: 5 } }),
      'request.object.metadata.labels.app is a number, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'annotations of another type',
      (request) => Object.assign(request.object!.metadata, { annotations: [] }),
      'request.object.metadata.annotations is a list, not a map; write a map of keys and values',
    ],
    [
      'a generateName of another type',
      (request) => Object.assign(request.object!.metadata, { generateName: 5 }),
      'request.object.metadata.generateName is a number, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'a spec of another type',
      (request) => Object.assign(request.object!, { spec: 'x' }),
      'request.object.spec is a text, not a map; write a map of keys and values',
    ],
    [
      'containers of another type',
      (request) => Object.assign(request.object!.spec, { containers: {} }),
      'request.object.spec.containers is a map, not a list; write a list',
    ],
    [
      'a container of another type',
      (request) => Object.assign(request.object!.spec, { initContainers: [5] }),
      'request.object.spec.initContainers[0] is a number, not a map; write a map of keys and values',
    ],
    [
      'a container without a name',
      (request) => Object.assign(request.object!.spec, { containers: [{}] }),
      'request.object.spec.containers[0].name is missing, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'an image of another type',
      (request) => Object.assign(request.object!.spec, { containers: [{ name: 'a', image: {} }] }),
      'request.object.spec.containers[0].image is a map, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'a dryRun of another type',
      (request) => Object.assign(request, { dryRun: 'yes' }),
      'request.dryRun is a text, not a truth value; write true or false',
    ],
    [
      'a namespace of another type',
      (request) => Object.assign(request, { namespace: 5 }),
      'request.namespace is a number, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'a resource of another type',
      (request) => Object.assign(request, { resource: 'pods' }),
      'request.resource is a text, not a map; write a map of keys and values',
    ],
    [
      'an UPDATE without the old object',
      (request) => Object.assign(request, { operation: 'UPDATE' }),
      'request.oldObject is null, not a map; write a map of keys and values',
    ],
  ])('%s', (_, change, problem) => {
    expect(changed(change)).toContain(problem)
  })
})

describe('what the API server may leave out is taken', () => {
  it('no name, no dryRun, no namespace, no spec, no image, null lists', () => {
    const result = parseReview(
      reviewOf(null, ({ request }) => {
        delete request.name
        delete request.dryRun
        delete request.namespace
        request.object = { metadata: { labels: null } } as unknown as typeof request.object
      }),
    )
    expect(result).toMatchObject({
      ok: true,
      value: {
        name: '',
        namespace: '',
        dryRun: false,
        generateName: '',
        content: {
          kind: 'pod',
          hasAnnotations: false,
          pod: { labels: {}, annotations: {}, containers: [], deleting: false },
        },
      },
    })
    const bare = parseReview(
      reviewOf(null, ({ request }) =>
        Object.assign(request.object!.spec, {
          containers: [{ name: 'a', image: null }],
          initContainers: null,
        }),
      ),
    )
    expect(bare).toMatchObject({
      ok: true,
      value: { content: { pod: { containers: [{ name: 'a', image: '' }] } } },
    })
  })

  it("the namespace is the request's, whatever the object says", () => {
    const result = parseReview(
      reviewOf({}, ({ request }) => (request.object!.metadata.namespace = 'elsewhere')),
    )
    expect(result).toMatchObject({ ok: true, value: { namespace: 'rec' } })
  })

  it('fields that decisions do not look at may hold anything', () => {
    expect(changed((request) => Object.assign(request, { options: 5, userInfo: null, kind: [] }))).toEqual([])
  })

  it('an UPDATE carries both objects, init and ephemeral containers, and the deletion', () => {
    const review = recordedReview('06')
    Object.assign(review.request.object!.spec, {
      initContainers: [{ name: 'init', image: 'i' }],
      ephemeralContainers: [{ name: 'dbg', image: 'd' }],
    })
    review.request.object!.metadata.deletionTimestamp = '2026-11-21T00:00:00Z'
    expect(parseReview(review)).toMatchObject({
      ok: true,
      value: {
        content: {
          pod: { deleting: true, containers: [{ name: 'init' }, { name: 'one' }, { name: 'dbg' }] },
          old: { deleting: false, annotations: { 'iops-limit/limit': '1200' } },
        },
      },
    })
  })
})
