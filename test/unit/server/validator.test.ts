import { describe, expect, test } from 'vitest'
import type { Outlook } from '../../../webhook/admission/outlook.ts'
import { Unavailable } from '../../../webhook/cluster/unavailable.ts'
import { createValidator, type ValidatorDeps } from '../../../webhook/server/validator.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { type ValidationRequest, validationOf } from '../../support/validations.ts'

const policies = policiesOf(policyText('gold', '{name: all, default: {iops: 500}, max: {iops: 1000}}'))
const young = policiesOf(policyText('young', '{name: all}')).get('young')

interface Asked {
  readonly namespaces: string[]
  readonly policies: string[]
  readonly looks: number[]
  readonly broken: unknown[]
}

async function validate(
  request: ValidationRequest | object,
  change: Partial<ValidatorDeps> = {},
  milliseconds = 10_000,
) {
  const asked: Asked = { namespaces: [], policies: [], looks: [], broken: [] }
  const outlook: Outlook = { effects: [], looked: 3, total: 3 }
  const validator = createValidator({
    readRulebook: () => ({ policies, exemptNamespaces: [] }),
    findNamespace(name) {
      asked.namespaces.push(name)
      return name === '' ? undefined : { name, labels: { 'iops-limit/enforce': 'gold' } }
    },
    readNamespaces: () => [{ name: 'a', labels: { 'iops-limit/enforce': 'gold' } }],
    cluster: {
      readOutlook(_plan, _rulebook, time) {
        asked.looks.push(time)
        return Promise.resolve(outlook)
      },
      readPolicy(name) {
        asked.policies.push(name)
        return Promise.resolve(name === 'young' ? young : undefined)
      },
    },
    onBroken: (error, uid) => asked.broken.push(error, uid),
    ...change,
  })
  const body = 'resource' in request ? validationOf(request) : request
  const answer = await validator.answer(body, milliseconds)
  return { answer, asked }
}

const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'i' }] } }
const labelled = (policy: string): ValidationRequest => ({
  resource: 'namespaces',
  operation: 'UPDATE',
  name: 'team',
  object: { metadata: { labels: { 'iops-limit/enforce': policy } } },
  oldObject: { metadata: {} },
})

describe('createValidator', () => {
  test('judges pods and workloads by their namespace', async () => {
    const { answer, asked } = await validate({
      resource: 'apps/deployments',
      object: { metadata: {}, spec: { template: pod } },
    })
    expect(answer).toMatchObject({
      status: 200,
      body: {
        response: {
          allowed: true,
          warnings: [
            'iops-limit: pods of this Deployment would get read-iops 500, write-iops 500 from gold/all',
          ],
        },
      },
      record: { outcome: 'warned' },
    })
    expect(asked).toEqual({ namespaces: ['team'], policies: [], looks: [], broken: [] })
  })

  test('looks at the pods of a namespace for a second, and for half of what the caller waits', async () => {
    for (const [milliseconds, time] of [
      [10_000, 1000],
      [3000, 1000],
      [1000, 500],
    ] as const) {
      const { answer, asked } = await validate(labelled('gold'), {}, milliseconds)
      expect(answer).toMatchObject({
        body: { response: { warnings: ['iops-limit: enforce=gold: nothing changes for 0 pods'] } },
      })
      expect(asked).toEqual({ namespaces: [''], policies: [], looks: [time], broken: [] })
    }
  })

  test('asks the cluster for a policy that is not known yet', async () => {
    const { answer, asked } = await validate(labelled('young'))
    expect([answer, asked.policies]).toMatchObject([{ body: { response: { allowed: true } } }, ['young']])
    const absent = await validate(labelled('absent'))
    expect(absent.answer).toMatchObject({
      body: {
        response: {
          allowed: false,
          status: {
            message:
              'namespace label iops-limit/enforce=absent: there is no policy of that name; known: gold (namespace team)',
          },
        },
      },
    })
    expect(absent.asked).toMatchObject({ policies: ['absent'], looks: [] })
  })

  test('does without a cluster', async () => {
    const { answer } = await validate(labelled('gold'), { cluster: {} })
    expect(answer).toMatchObject({
      body: {
        response: {
          allowed: true,
          warnings: [
            'iops-limit: what this changes for the pods of the namespace is not known: they could not be looked at',
          ],
        },
      },
    })
    expect((await validate(labelled('young'), { cluster: {} })).answer).toMatchObject({
      body: { response: { allowed: false } },
    })
  })

  test('tells who uses a policy', async () => {
    const { answer } = await validate({
      resource: 'policy.iops-limit/iolimitpolicies',
      operation: 'DELETE',
      name: 'gold',
      oldObject: {},
    })
    expect(answer).toMatchObject({
      body: {
        response: { allowed: true, warnings: [expect.stringContaining('enforced in 1 namespace (a)')] },
      },
    })
  })

  test('passes on what is wrong with a review', async () => {
    expect((await validate({})).answer).toMatchObject({
      status: 400,
      problems: [{ field: 'apiVersion' }, {}, {}],
    })
  })

  test('lets the object through where what is known cannot be told, or something of ours breaks', async () => {
    const unsynced = await validate(labelled('gold'), {
      findNamespace: () => Promise.reject(new Unavailable('policies are not known yet')),
    })
    expect(unsynced.answer).toMatchObject({
      body: {
        response: {
          allowed: true,
          warnings: ['iops-limit: policies are not known yet: the object was let through without a check'],
        },
      },
      record: { outcome: 'failed' },
    })
    expect(unsynced.asked.broken).toEqual([])
    const failure = new Error('the cache is on fire')
    const broken = await validate(labelled('gold'), {
      readRulebook: () => {
        throw failure
      },
    })
    expect(broken.answer).toMatchObject({
      body: { response: { allowed: true } },
      record: { outcome: 'failed', reason: 'an internal error' },
    })
    expect(broken.asked.broken).toEqual([failure, 'u-1'])
  })
})
