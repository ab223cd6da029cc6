import { describe, expect, test } from 'vitest'
import { loadPolicies } from '../../../webhook/policy/load.ts'
import type { NamespaceInfo, PolicySet } from '../../../webhook/policy/policy.ts'
import { createReviewer } from '../../../webhook/server/reviewer.ts'

const policies = ((): PolicySet => {
  const loaded = loadPolicies([
    {
      name: 'gold.yaml',
      text: '{apiVersion: policy.iops-limit/v1alpha1, kind: IOLimitPolicy, metadata: {name: gold}, spec: {rules: [{name: all, default: {iops: 500}}]}}',
    },
  ])
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.value
})()

const body = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u-1',
    operation: 'CREATE',
    namespace: 'team',
    resource: { group: '', version: 'v1', resource: 'pods' },
    object: { metadata: { name: 'web' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
}
const team: NamespaceInfo = { name: 'team', labels: { 'iops-limit/enforce': 'gold' } }

function review(
  findNamespace: (name: string) => NamespaceInfo | undefined | Promise<NamespaceInfo | undefined>,
  given: unknown = body,
) {
  const broken: unknown[] = []
  const reviewer = createReviewer({
    readRulebook: () => ({ policies, exemptNamespaces: [] }),
    findNamespace,
    onBroken: (error, uid) => broken.push(error, uid),
  })
  return { answer: reviewer.answer(given, 1000), broken }
}

describe('createReviewer', () => {
  test("decides by the request's namespace, found at once or later", async () => {
    for (const find of [() => team, () => Promise.resolve(team)]) {
      const { answer, broken } = review(find)
      expect(await answer).toMatchObject({
        status: 200,
        body: { response: { uid: 'u-1', allowed: true, patchType: 'JSONPatch' } },
        record: { outcome: 'defaulted', policy: 'gold', rule: 'all' },
      })
      expect(broken).toEqual([])
    }
  })

  test('passes on what is wrong with a review', async () => {
    const { answer } = review(() => team, {})
    expect(await answer).toMatchObject({ status: 400, problems: [{ field: 'apiVersion' }, {}, {}] })
  })

  test('lets the pod through, unpatched and with a warning, where something of ours breaks', async () => {
    const failure = new Error('the cache is on fire')
    const throwing = (): never => {
      throw failure
    }
    for (const find of [throwing, () => Promise.reject(failure)]) {
      const { answer, broken } = review(find)
      const answered = await answer
      expect(answered).toMatchObject({
        status: 200,
        body: {
          response: {
            uid: 'u-1',
            allowed: true,
            warnings: ['iops-limit: an internal error: the pod was let through without limits'],
          },
        },
        record: { outcome: 'failed', reason: 'an internal error' },
      })
      expect(answered).not.toHaveProperty('body.response.patch')
      expect(broken).toEqual([failure, 'u-1'])
    }
  })

  test('needs no more than the namespace knows', async () => {
    expect(await review(() => undefined).answer).toMatchObject({ record: { outcome: 'untouched' } })
  })
})
