/** Which blocks of our own code a call reaches, by V8's own counters. Slow, and so made for batches. */
import { Session } from 'node:inspector'

export interface Coverage extends Disposable {
  /** Blocks reached since the last look. */
  readonly look: () => readonly string[]
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface Counted {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly Range[] }[]
  }[]
}

export function watchCoverage(root: string): Coverage {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return {
    look() {
      const reached: string[] = []
      // The answer comes at once: the session is with this very thread.
      session.post('Profiler.takePreciseCoverage', (_error, counted: Counted) => {
        for (const { url, functions } of counted.result) {
          if (!url.startsWith(root) || url.includes('node_modules') || url.includes('/test/')) continue
          for (const { ranges } of functions)
            for (const { startOffset, endOffset, count } of ranges)
              if (count > 0) reached.push(`${url}:${startOffset}-${endOffset}`)
        }
      })
      return reached
    },
    [Symbol.dispose]: () => session.disconnect(),
  }
}
