import { describe, expect, it } from 'vitest'
import type { Problem } from '../../../contract/problem.ts'
import type { KubeClient, KubeRequest } from '../../../kube/client.ts'
import { KubeError } from '../../../kube/error.ts'
import { type Condition, formatCondition, isSaid } from '../../../webhook/cluster/condition.ts'
import type { Judgement } from '../../../webhook/cluster/policies.ts'
import { createPolicyStatus } from '../../../webhook/cluster/policyStatus.ts'

const NOW = new Date('2026-11-21T10:00:00.123Z')
const problem: Problem = { field: 'spec.rules', reason: 'is empty', cure: 'write at least one rule' }

const judgementOf = (facts: Partial<Judgement> = {}): Judgement => ({
  name: 'gold',
  uid: 'u1',
  generation: 3,
  resourceVersion: '17',
  labels: {},
  problems: [],
  found: undefined,
  ...facts,
})

const VALID: Condition = formatCondition([], 3, { found: undefined, now: NOW })

describe('the condition', () => {
  it('says that a policy is in force', () => {
    expect(VALID).toEqual({
      type: 'Accepted',
      status: 'True',
      reason: 'Valid',
      message: 'the policy is in force',
      observedGeneration: 3,
      lastTransitionTime: '2026-11-21T10:00:00Z',
    })
  })

  it('says everything that is wrong, within bounds', () => {
    const { status, reason, message } = formatCondition([problem, problem], 1, { found: undefined, now: NOW })
    expect({ status, reason, message }).toEqual({
      status: 'False',
      reason: 'Invalid',
      message: 'spec.rules: is empty; write at least one rule. spec.rules: is empty; write at least one rule',
    })
    const many = formatCondition(
      Array.from({ length: 25 }, () => problem),
      1,
      { found: undefined, now: NOW },
    )
    expect(many.message).toMatch(/one rule\. and 5 more$/)
    const long = { ...problem, reason: 'x'.repeat(10_000) }
    expect(formatCondition([long], 1, { found: undefined, now: NOW }).message.length).toBe(8192)
  })

  it('keeps its time while its status stays', () => {
    const found = { ...VALID, lastTransitionTime: '2020-01-01T00:00:00Z' }
    expect(formatCondition([], 4, { found, now: NOW }).lastTransitionTime).toBe('2020-01-01T00:00:00Z')
    expect(formatCondition([problem], 4, { found, now: NOW }).lastTransitionTime).toBe('2026-11-21T10:00:00Z')
  })

  it('is said only where every word of it is', () => {
    expect(isSaid(VALID, { ...VALID, more: 1 })).toBe(true)
    expect(isSaid(VALID, { ...VALID, observedGeneration: 2 })).toBe(false)
    expect(isSaid(VALID, undefined)).toBe(false)
  })
})

/** Runs so many rounds over what was judged; `answers` are given in their order, then everything succeeds. */
async function run(
  judgements: readonly (readonly Judgement[])[],
  answers: readonly (KubeError | undefined)[] = [],
) {
  const [stop, requests, pauses, failures] = [
    new AbortController(),
    [] as KubeRequest[],
    [] as number[],
    [] as unknown[],
  ]
  const left = [...answers]
  const client: KubeClient = {
    request(request) {
      requests.push(request)
      const answer = left.shift()
      return answer === undefined ? Promise.resolve({}) : Promise.reject(answer)
    },
    watch: () => {
      throw new Error('nobody watches here')
    },
  }
  const rounds = [...judgements]
  const status = createPolicyStatus({
    client,
    now: () => NOW,
    random: () => 0.5,
    sleep: (milliseconds) => {
      pauses.push(milliseconds)
      const round = rounds.shift()
      if (round === undefined) stop.abort()
      round?.forEach(status.judged)
      return Promise.reject(new Error('ends by whatever way'))
    },
    onFailed: (error) => failures.push(error),
  })
  await status.run(stop.signal)
  return { requests, pauses, failures }
}

describe('the status of a policy', () => {
  it('is applied to the very version that was judged', async () => {
    const { requests, pauses } = await run([[judgementOf()]])
    expect(requests).toEqual([
      {
        method: 'PATCH',
        path: '/apis/policy.iops-limit/v1alpha1/iolimitpolicies/gold/status',
        query: { fieldManager: 'iops-limit-webhook-status', force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: {
          apiVersion: 'policy.iops-limit/v1alpha1',
          kind: 'IOLimitPolicy',
          metadata: { name: 'gold', uid: 'u1', resourceVersion: '17' },
          status: { conditions: [VALID] },
        },
      },
    ])
    expect(pauses).toEqual([700, 700])
  })

  it('is not written where it says so already, nor for an older judgement', async () => {
    const { requests } = await run([
      [judgementOf({ found: { ...VALID } })],
      [judgementOf({ generation: 4 }), judgementOf({ generation: 5, resourceVersion: '19' })],
    ])
    expect(requests.map(({ body }) => body)).toMatchObject([{ metadata: { resourceVersion: '19' } }])
  })

  it("is not fought over: another's word on the same version stays, once ours was said", async () => {
    const other = { ...VALID, message: 'in other words' }
    const { requests } = await run([
      [judgementOf()],
      [judgementOf({ found: other, resourceVersion: '18' })],
      [judgementOf({ found: undefined, resourceVersion: '19' })],
      [judgementOf({ found: other, generation: 4, resourceVersion: '20' })],
    ])
    expect(requests.map(({ body }) => body)).toMatchObject([
      { metadata: { resourceVersion: '17' } },
      // Wiped.
      { metadata: { resourceVersion: '19' } },
      { metadata: { resourceVersion: '20' } },
    ])
  })

  it('waits for the watch where the policy has changed or gone meanwhile', async () => {
    const conflict = new KubeError('changed', { status: 409, reason: 'Conflict' })
    const gone = new KubeError('gone', { status: 404, reason: 'NotFound' })
    const { requests, failures } = await run(
      [[judgementOf()], [], [judgementOf({ resourceVersion: '18' })], []],
      [conflict, gone],
    )
    expect(requests.length).toBe(2)
    expect(failures).toEqual([])
  })

  it('is tried again after seconds, and ever more of them, where the API server fails', async () => {
    const down = new KubeError('down', { status: 503, reason: 'ServiceUnavailable' })
    const { requests, pauses, failures } = await run([[judgementOf()], [], [], []], [down, down])
    expect(requests.length).toBe(3)
    expect(pauses).toEqual([700, 5700, 10_700, 700, 700])
    expect(failures).toEqual([down, down])
  })
})
