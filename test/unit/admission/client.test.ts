import { dumpYaml, loadYaml, type V1Pod } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseReview } from '../../../webhook/admission/review.ts'
import { reviewOf } from '../../support/reviews.ts'

const POD = `apiVersion: v1
kind: Pod
metadata:
  generateName: web-
  labels: {app: web}
  annotations: {iops-limit/limit: "5"}
  deletionTimestamp: "2026-11-21T00:00:00Z"
spec:
  initContainers: [{name: init, image: registry.test/b:1, restartPolicy: Always}]
  containers: [{name: main, image: registry.test/a:1}]
  ephemeralContainers: [{name: debug}]
`

describe('a pod that went through the official client', () => {
  it('is read with all that the client knows of it', () => {
    const pod = loadYaml<V1Pod>(POD)
    const object: unknown = parse(dumpYaml(pod))
    expect(parseReview(reviewOf({}, ({ request }) => Object.assign(request, { object })))).toMatchObject({
      ok: true,
      value: {
        generateName: pod.metadata?.generateName,
        content: {
          kind: 'pod',
          hasAnnotations: true,
          pod: {
            labels: pod.metadata?.labels,
            annotations: pod.metadata?.annotations,
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
    expect(pod.metadata?.deletionTimestamp).toBeInstanceOf(Date)
  })
})
