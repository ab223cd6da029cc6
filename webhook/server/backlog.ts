/** Who is told of decisions, behind their answers. */
import type { Observer } from './observer.ts'

export interface Backlog {
  /** Decisions and validations reach the observer a moment later. */
  readonly observer: Observer
  /** Tells it at once what still waits. */
  readonly catchUp: () => void
}

/**
 * Many decisions are told one after the other: metrics and a line of log take twice as long each between one answer and the next,
 * by what they find in the processor's caches (docs/performance.md). `later` calls back in a moment.
 */
export function createBacklog(observer: Observer, later: (callback: () => void) => unknown): Backlog {
  let waiting: (() => void)[] = []
  const catchUp = (): void => {
    const all = waiting
    waiting = []
    for (const tell of all) {
      try {
        tell()
      } catch (error) {
        observer.broken(error)
      }
    }
  }
  const put = (tell: () => void): void => {
    if (waiting.push(tell) === 1) later(catchUp)
  }
  return {
    catchUp,
    observer: {
      ...observer,
      decided: (record, seconds) => put(() => observer.decided(record, seconds)),
      validated: (record, seconds) => put(() => observer.validated(record, seconds)),
    },
  }
}
