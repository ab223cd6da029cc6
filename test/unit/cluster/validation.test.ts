import { describe, expect, test } from 'vitest'
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { createValidationCluster } from '../../../webhook/cluster/validation.ts'
import { policiesOf, policyText } from '../../support/policies.ts'

const BOOK = {
  policies: policiesOf(policyText('gold', '{name: all, default: {iops: 500}}')),
  exemptNamespaces: [],
}
const PLAN = {
  namespace: { name: 'team', labels: { 'iops-limit/enforce': 'gold' } },
  changes: [{ label: 'iops-limit/enforce', before: undefined, after: 'gold' }],
} as const

const pods = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    metadata: { namespace: 'team', name: `p-${index}`, uid: `u-${index}`, resourceVersion: '1' },
    spec: { containers: [{ name: 'main', image: 'i' }] },
    status: { phase: index === 0 ? 'Succeeded' : 'Running' },
  }))

const page = (count: number, metadata: object) => ({
  metadata: { resourceVersion: '1', ...metadata },
  items: pods(count),
})

/** A cluster that gives these answers in turn. */
function clusterOf(...answers: readonly unknown[]) {
  const asked: KubeRequest[] = []
  const failures: unknown[] = []
  const rest = [...answers]
  const client: KubeClient = {
    request(request) {
      asked.push(request)
      const answer = rest.shift()
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    watch() {
      throw new Error('nothing is watched here')
    },
  }
  return {
    asked,
    failures,
    ...createValidationCluster({ client, onFailed: (error) => failures.push(error) }),
  }
}

const refusal = (reason: string, status = 403) => new KubeError(reason, { status, reason })

describe('an outlook', () => {
  test('is read in pages, each counted, without pods that have ended', async () => {
    const { asked, readOutlook } = clusterOf(
      page(3, { continue: 'next', remainingItemCount: 2 }),
      page(2, {}),
    )
    const outlook = await readOutlook(PLAN, BOOK, 1000)
    expect(outlook).toMatchObject({ looked: 5, total: 5 })
    expect(outlook?.effects.map(({ owner }) => owner)).toEqual(['pod p-1', 'pod p-2', 'pod p-1'])
    expect(asked.map(({ path, query }) => [path, query])).toEqual([
      ['/api/v1/namespaces/team/pods', { limit: '250' }],
      ['/api/v1/namespaces/team/pods', { limit: '250', continue: 'next' }],
    ])
  })

  test('ends at 3,000 pods', async () => {
    const pages = Array.from({ length: 20 }, (_, index) =>
      page(250, { continue: 'next', remainingItemCount: 4750 - index * 250 }),
    )
    const { asked, readOutlook } = clusterOf(...pages)
    expect(await readOutlook(PLAN, BOOK, 10_000)).toMatchObject({ looked: 3000, total: 5000 })
    expect(asked).toHaveLength(12)
  })

  test('ends when the time does', async () => {
    const { readOutlook } = clusterOf(...Array.from({ length: 20 }, () => page(250, { continue: 'next' })))
    const outlook = await readOutlook(PLAN, BOOK, 1)
    expect(outlook?.looked).toBeLessThan(3000)
    expect(outlook?.total).toBeUndefined()
  })

  test('keeps what it has where a later page does not come, and tells of it', async () => {
    const failure = refusal('Expired', 410)
    const { failures, readOutlook } = clusterOf(page(3, { continue: 'next', remainingItemCount: 9 }), failure)
    expect(await readOutlook(PLAN, BOOK, 1000)).toMatchObject({ looked: 3, total: 12 })
    expect(failures).toEqual([failure])
  })

  test('is none where no pod can be read', async () => {
    const failure = refusal('Forbidden')
    const { failures, readOutlook } = clusterOf(failure)
    expect(await readOutlook(PLAN, BOOK, 1000)).toBeUndefined()
    expect(failures).toEqual([failure])
  })
})

describe('a policy', () => {
  const object = {
    apiVersion: 'policy.iops-limit/v1alpha1',
    kind: 'IOLimitPolicy',
    metadata: { name: 'young' },
    spec: { rules: [{ name: 'all' }] },
  }

  test('is read as it is stored', async () => {
    const { asked, readPolicy } = clusterOf(object)
    expect(await readPolicy('young', 500)).toMatchObject({ name: 'young' })
    expect(asked).toMatchObject([
      { path: '/apis/policy.iops-limit/v1alpha1/iolimitpolicies/young', timeout: 500 },
    ])
  })

  test('is none where it is wrong or not there', async () => {
    const { failures, readPolicy } = clusterOf({ ...object, spec: {} }, refusal('NotFound', 404))
    expect([await readPolicy('wrong', 500), await readPolicy('absent', 500)]).toEqual([undefined, undefined])
    expect(failures).toEqual([])
  })

  test('is none where nobody answers, and that is told', async () => {
    const failure = refusal('Timeout', 0)
    const { failures, readPolicy } = clusterOf(failure)
    expect(await readPolicy('young', 500)).toBeUndefined()
    expect(failures).toEqual([failure])
  })
})
