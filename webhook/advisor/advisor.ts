/**
 * The advisor, while it leads: turn by turn. All that stands is in the pods themselves: whoever leads next sees for itself first,
 * and what is admitted stays in force meanwhile.
 */
import { createMemory } from './memory.ts'
import { type TurnDeps, type TurnObserver, takeTurn } from './turn.ts'

export interface AdvisorObserver extends TurnObserver {
  /** A turn was taken, to its end or not. */
  readonly turned: (seconds: number) => void
}

export interface AdvisorDeps extends Omit<TurnDeps, 'signal'> {
  /** From 0 up to 1. */
  readonly random: () => number
  readonly observe: AdvisorObserver
  /** The leader's signal. */
  readonly stopped: AbortSignal
}

/** Until stopped; never rejects. */
export async function runAdvisor(deps: AdvisorDeps): Promise<void> {
  const { clock, observe, stopped, settings } = deps
  const memory = createMemory()
  const isStopped = (): boolean => stopped.aborted
  while (!isStopped()) {
    const began = clock()
    try {
      await takeTurn({ ...deps, signal: stopped }, memory)
    } catch (error) {
      if (!isStopped()) observe.failed(error)
    }
    const took = clock() - began
    if (isStopped()) break
    observe.turned(took)
    // Ten percent either way: what began together does not stay together.
    const pause = settings.interval * (0.9 + 0.2 * deps.random()) - took * 1000
    await deps.sleep(Math.max(pause, settings.interval / 10), stopped).catch(() => undefined)
  }
  observe.counted(new Map())
}
