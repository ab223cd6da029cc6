/** When samples are taken, when calls are made again, and which addresses only this host can reach. */
import { describe, expect, it } from 'vitest'
import { keepSampling } from '../../../../enforcer/usage/keeping.ts'
import { withRetries } from '../../../../enforcer/usage/retry.ts'
import { isLoopback } from '../../../../enforcer/usageParts.ts'
import { KubeError } from '../../../../kube/error.ts'
import { runEnforcer } from '../../../support/kernel/runEnforcer.ts'

describe('sampling', () => {
  const run = async (sample: () => Promise<void>, interval: number, rounds: number) => {
    const stopping = new AbortController()
    const pauses: number[] = []
    const [sampled, broken]: [number[], unknown[]] = [[], []]
    let [now, collected] = [0, 0]
    await keepSampling(
      {
        interval,
        sampler: { sample, find: () => undefined, count: () => 0, failures: ['no'] },
        findGroups: () => [],
        findDevices: () => [],
        observe: {
          sampled: (milliseconds, failures) => {
            expect(failures).toEqual(['no'])
            sampled.push(milliseconds)
          },
          broken: (error) => broken.push(error),
        },
        random: () => 0.5,
        sleep: (milliseconds) => {
          pauses.push(milliseconds)
          if (pauses.length > rounds) stopping.abort()
          return stopping.signal.aborted ? Promise.reject(new Error('stopped')) : Promise.resolve()
        },
        stopped: stopping.signal,
        collectGarbage: () => {
          collected += 1
        },
      },
      () => (now += 5),
    )
    expect(collected).toBe(sampled.length + broken.length)
    return { pauses, sampled, broken }
  }

  it('begins soon, and goes on at the interval, each time by chance a little sooner', async () => {
    const { pauses, sampled } = await run(() => Promise.resolve(), 60_000, 3)
    expect(pauses.map(Math.round)).toEqual([4_750, 57_000, 57_000, 57_000])
    expect(sampled).toEqual([5, 5, 5])
    expect((await run(() => Promise.resolve(), 1_000, 1)).pauses[0]).toBeCloseTo(950)
  })

  it('goes on after a mistake of ours', async () => {
    const mistake = new Error('a mistake')
    const { broken, sampled } = await run(() => Promise.reject(mistake), 1_000, 2)
    expect({ broken, sampled }).toEqual({ broken: [mistake, mistake], sampled: [] })
  })

  it('does not begin where it is stopped before', async () => {
    expect(await run(() => Promise.resolve(), 1_000, 0)).toMatchObject({ sampled: [], broken: [] })
  })
})

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
