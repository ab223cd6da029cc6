/** Samples as long as the program runs: at each interval while somebody looks, now and then while nobody does. */
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
  /** Called once an interval, after the sample where there is one: nothing leaves more behind, but scrapes and passes do in time. */
  readonly collectGarbage: () => void
  /** Milliseconds from any start, never set back. */
  readonly clock: () => number
}

export interface UsageObserver {
  /** After each sample: milliseconds that it took, and what the kubelet did not tell. */
  readonly sampled: (milliseconds: number, failures: readonly string[]) => void
  /** A mistake of ours: the next sample is tried all the same. */
  readonly broken: (error: unknown) => void
}

export interface Keeping {
  /** Until it is stopped; never rejects. */
  readonly run: () => Promise<void>
  /**
   * Somebody looks. Where nobody did for long, and the last sample is older than the interval, one is taken and waited for, but
   * not for longer than somebody likes to wait. Never rejects.
   */
  readonly look: () => Promise<void>
}

/** Milliseconds: the first sample, from which rates begin. */
const SOON = 5_000
/** Milliseconds: for so long after the start, and after each look, somebody may look again. */
const ATTENTION = 300_000
/** Milliseconds between samples that nobody looks at: rates need one to begin from that is not too long ago. */
const UNSEEN = 300_000
/** Milliseconds: a page that takes longer shows what there is, with its age. */
const PATIENCE = 2_000

export function createKeeping(deps: KeepingDeps): Keeping {
  const { interval, stopped, clock } = deps
  const isStopped = (): boolean => stopped.aborted
  let looked = clock()
  let sampled: number | undefined
  let sample = Promise.withResolvers<undefined>()
  let pausing = new AbortController()

  const isSeen = (): boolean => clock() - looked < ATTENTION
  const isDue = (): boolean => isSeen() || sampled === undefined || clock() - sampled + interval > UNSEEN
  const pause = async (milliseconds: number): Promise<void> => {
    pausing = new AbortController()
    await rest(deps, milliseconds, AbortSignal.any([stopped, pausing.signal]))
  }
  return {
    run: async () => {
      await pause(Math.min(interval, SOON))
      while (!isStopped()) {
        if (isDue()) {
          await attempt(deps)
          sampled = clock()
          sample.resolve(undefined)
          sample = Promise.withResolvers()
        }
        deps.collectGarbage()
        await pause(interval)
      }
    },
    look: async () => {
      const isExpected = isSeen()
      looked = clock()
      if (isExpected || sampled === undefined || looked - sampled <= interval) return
      pausing.abort()
      await Promise.race([sample.promise, deps.sleep(PATIENCE, stopped).catch(() => undefined)])
    },
  }
}

async function attempt({ sampler, findGroups, findDevices, ...deps }: KeepingDeps): Promise<void> {
  const { observe, clock } = deps
  const began = clock()
  try {
    await sampler.sample(findGroups(), findDevices())
    observe.sampled(clock() - began, sampler.failures)
  } catch (error) {
    observe.broken(error)
  }
}

/** Nodes that start together do not ask together: each pause is shortened by chance. */
async function rest({ random, sleep }: KeepingDeps, milliseconds: number, over: AbortSignal): Promise<void> {
  await sleep(milliseconds * (0.9 + random() / 10), over).catch(() => undefined)
}
