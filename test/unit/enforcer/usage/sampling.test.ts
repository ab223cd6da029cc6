/** When calls are made again, which intervals are refused, and which addresses only this host can reach. */
import { describe, expect, it } from 'vitest'
import { withRetries } from '../../../../enforcer/usage/retry.ts'
import { isLoopback } from '../../../../enforcer/usageParts.ts'
import { KubeError } from '../../../../kube/error.ts'
import { runEnforcer } from '../../../support/kernel/runEnforcer.ts'

describe('calls that fail', () => {
  const call = async (failures: readonly Error[], random = () => 0) => {
    const pauses: number[] = []
    const left = [...failures]
    const work = (): Promise<string> => {
      const failure = left.shift()
      return failure === undefined ? Promise.resolve('done') : Promise.reject(failure)
    }
    const sleep = (milliseconds: number): Promise<void> => {
      pauses.push(milliseconds)
      return Promise.resolve()
    }
    const outcome = await withRetries(work, { random, sleep, stopped: new AbortController().signal }).catch(
      (error: unknown) => error,
    )
    return { outcome, pauses }
  }
  const errorOf = (status: number, retryAfter?: number): KubeError =>
    new KubeError(`status ${status}`, {
      status,
      reason: 'x',
      ...(retryAfter !== undefined && { retryAfter }),
    })

  it.each([0, 429, 500, 503])('with %d are made again, after a pause that is half chance', async (status) => {
    const failures = [errorOf(status), errorOf(status)]
    expect(await call(failures)).toEqual({ outcome: 'done', pauses: [100, 200] })
    expect((await call(failures, () => 0.999)).pauses.map(Math.round)).toEqual([200, 400])
    const third = errorOf(status)
    expect((await call([...failures, third])).outcome).toBe(third)
  })

  it.each([400, 401, 403, 404])('with %d are not', async (status) => {
    const failure = errorOf(status)
    expect(await call([failure])).toEqual({ outcome: failure, pauses: [] })
  })

  it('are made again when the kubelet says, if that is soon', async () => {
    expect((await call([errorOf(503, 4_000)])).pauses).toEqual([4_000])
    const late = errorOf(503, 6_000)
    expect(await call([late])).toEqual({ outcome: late, pauses: [] })
    const other = new TypeError('a mistake of ours')
    expect(await call([other])).toEqual({ outcome: other, pauses: [] })
  })
})

it.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['localhost', true],
  ['::', false],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['127.example.com', false],
])('%s can be reached by this host alone: %s', (host, is) => {
  expect(isLoopback(host)).toBe(is)
})

it('an interval that is too short for a rate is refused', async () => {
  const { status, error } = await runEnforcer(['--usage-interval', '999ms'])
  expect({ status, error }).toEqual({
    status: 2,
    error:
      'iops-limit-enforcer: --usage-interval "999ms" is shorter than 1s, which is too short for a rate\n',
  })
})
