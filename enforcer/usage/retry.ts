/** Calls that fail for a moment are made again, each time after a longer pause, half of it by chance. */
import { isKubeError } from '../../kube/error.ts'

export interface RetryDeps {
  /** From 0 up to 1. */
  readonly random: () => number
  /** Rejects once the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly stopped: AbortSignal
}

const ATTEMPTS = 3
/** Milliseconds; doubled each time. */
const PAUSE = 200
/** Milliseconds that a kubelet can ask to be left alone for: whoever asks for longer is asked at the next round. */
const LONGEST_ASKED = 5_000

/** Throws what the last attempt threw. */
export async function withRetries<T>(work: () => Promise<T>, deps: RetryDeps): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const pause = findPause(error, attempt, deps.random)
      if (attempt === ATTEMPTS || pause === undefined || deps.stopped.aborted) throw error
      await deps.sleep(pause, deps.stopped)
    }
  }
}

/** Milliseconds; undefined where another attempt would end the same way. */
function findPause(error: unknown, attempt: number, random: () => number): number | undefined {
  if (!isKubeError(error)) return undefined
  const { status, retryAfter = 0 } = error
  const isPassing = status === 0 || status === 429 || status >= 500
  if (!isPassing || retryAfter > LONGEST_ASKED) return undefined
  const longest = PAUSE * 2 ** (attempt - 1)
  return Math.max(longest / 2 + (longest / 2) * random(), retryAfter)
}
