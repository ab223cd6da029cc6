import { ObjectSerializer, V1Pod } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { parseReview } from '../../../webhook/admission/review.ts'
import { reviewOf } from '../../support/reviews.ts'

describe('a pod as the official client writes it', () => {
  it('is read as the same pod', () => {
    const pod: V1Pod = Object.assign(new V1Pod(), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        generateName: 'web-',
        labels: { app: 'web' },
        annotations: { 'iops-limit/limit': '5' },
        deletionTimestamp: new Date(0),
      },
      spec: {
        containers: [{ name: 'main', image: 'registry.test/a:1' }],
        initContainers: [{ name: 'init', image: 'registry.test/b:1', restartPolicy: 'Always' }],
        ephemeralContainers: [{ name: 'debug' }],
      },
    } satisfies V1Pod)
    const written: unknown = JSON.parse(JSON.stringify(ObjectSerializer.serialize(pod, 'V1Pod')))
    expect(
      parseReview(reviewOf({}, ({ request }) => Object.assign(request, { object: written }))),
    ).toMatchObject({
      ok: true,
      value: {
        generateName: 'web-',
        content: {
          kind: 'pod',
          hasAnnotations: true,
          pod: {
            labels: { app: 'web' },
            annotations: { 'iops-limit/limit': '5' },
            deleting: true,
            containers: [
              { name: 'init', image: 'registry.test/b:1' },
              { name: 'main', image: 'registry.test/a:1' },
              { name: 'debug', image: '' },
            ],
          },
        },
      },
    })
  })
})
