/** Requests that came together go together, step by step. */

/** In this order. */
export interface Rounds {
  /** A body is here: what becomes of it. */
  readonly decide: (step: () => void) => void
  /** The outcome is here: what goes out. */
  readonly answer: (step: () => void) => void
  /** The answer is out: what log and metrics are told. */
  readonly tell: (step: () => void) => void
}

export interface RoundsDeps {
  /** Calls back behind all that the sockets have brought by now. */
  readonly later: (callback: () => void) => unknown
  /** Told of a step that threw: the others go on. */
  readonly onBroken: (error: unknown) => void
}

/** Bodies of one round at most, so that the first answer does not wait long for the last decision. */
const MOST = 32

/**
 * What was read in one turn of the event loop is decided, all of it, then answered, then told: the same code over and over is in the
 * processor's caches, and who waits at the other end for several answers is woken up once. That is a third of a request's time
 * under load (docs/performance.md). Where there is but one request, it waits for nobody.
 */
export function createRounds({ later, onBroken }: RoundsDeps): Rounds {
  const decisions: Steps = []
  const answers: Steps = []
  const tales: Steps = []
  let isComing = false
  const take = (steps: Steps): void => {
    for (const step of steps.splice(0)) {
      try {
        step()
      } catch (error) {
        onBroken(error)
      }
    }
  }
  const run = (): void => {
    isComing = true
    for (const steps of [decisions, answers, tales]) take(steps)
    isComing = false
    if (decisions.length + answers.length + tales.length > 0) come()
  }
  const come = (): void => {
    if (!isComing) later(run)
    isComing = true
  }
  const put = (steps: Steps, step: () => void): void => {
    steps.push(step)
    come()
  }
  return {
    decide(step) {
      put(decisions, step)
      if (decisions.length >= MOST) run()
    },
    answer: (step) => put(answers, step),
    tell: (step) => put(tales, step),
  }
}

type Steps = (() => void)[]
