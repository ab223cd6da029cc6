/** Samples at each interval, as long as the program runs. */
import type { RetryDeps } from './retry.ts'
import type { Sampler, UsageGroup } from './sampler.ts'

export interface KeepingDeps extends RetryDeps {
  /** Milliseconds. */
  readonly interval: number
  readonly sampler: Sampler
  /** What there is to look at now. */
  readonly findGroups: () => readonly UsageGroup[]
  readonly findDevices: () => readonly string[]
  readonly observe: UsageObserver
  /** Called after each sample, which leaves more behind than anything else that is done now and then. */
  readonly collectGarbage: () => void
}

export interface UsageObserver {
  /** After each sample: milliseconds that it took, and what the kubelet did not tell. */
  readonly sampled: (milliseconds: number, failures: readonly string[]) => void
  /** A mistake of ours: the next sample is tried all the same. */
  readonly broken: (error: unknown) => void
}

/** Until it is stopped; never rejects. Nodes that start together do not ask together: each pause is shortened by chance. */
export async function keepSampling(deps: KeepingDeps, clock: () => number): Promise<void> {
  const { sampler, stopped, observe } = deps
  const isStopped = (): boolean => stopped.aborted
  await pause(deps, Math.min(deps.interval, SOON))
  while (!isStopped()) {
    const began = clock()
    try {
      await sampler.sample(deps.findGroups(), deps.findDevices())
      observe.sampled(clock() - began, sampler.failures)
    } catch (error) {
      observe.broken(error)
    }
    deps.collectGarbage()
    await pause(deps, deps.interval)
  }
}

/** Milliseconds: the first sample, from which rates begin. */
const SOON = 5_000

async function pause({ random, sleep, stopped }: KeepingDeps, milliseconds: number): Promise<void> {
  await sleep(milliseconds * (0.9 + random() / 10), stopped).catch(() => undefined)
}
