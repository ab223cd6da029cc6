/** `pod`: what it is at all. `names`: which of its containers is which. `oldest`: whether its only one is its sandbox, as mostly. */
export type About = 'pod' | 'names' | 'oldest'

/** Pods that are asked about ahead of time: a cgroup has come that nobody has told of, or a container without a name. */
export interface Inquiries {
  /** Each time for the same pod later, and after some times no more: the next pass has it. */
  readonly ask: (uid: string, about: About) => void
  readonly settle: (uid: string) => void
  /** Forgets what is asked about none of these. */
  readonly retain: (uids: ReadonlySet<string>) => void
}

export interface InquiryDeps {
  readonly refresh: () => Promise<void>
  /** There is an answer, be it that nothing is known yet. */
  readonly answered: (uids: readonly string[]) => void
  readonly sleep: (milliseconds: number) => Promise<void>
  /** Milliseconds. */
  readonly clock: () => number
}

/**
 * Milliseconds before each question. The kubelet knows a pod before it makes the pod's cgroup; the names of containers follow
 * these by a second or two, in which nobody is to be kept busy with questions: that is when the pod starts. A sandbox alone
 * waits for its first container, or for an image, and has no name to tell.
 */
const PAUSES: Readonly<Record<About, readonly number[]>> = {
  pod: [0, 100, 200, 400, 800, 1600, 3200],
  names: [1000, 1000, 2000, 4000],
  oldest: [4000],
}

/** Milliseconds: what is due so soon is asked along. */
const SOON = 50

interface Asked {
  readonly about: About
  readonly times: number
}

interface Question {
  /** Milliseconds. */
  readonly pause: number
  /** By the clock. */
  readonly due: number
  /** What had been asked when it was thought of. */
  readonly before: Asked
}

export function createInquiries({ refresh, answered, sleep, clock }: InquiryDeps): Inquiries {
  const asked = new Map<string, Asked>()
  const waiting = new Map<string, Question>()
  /** Answers all that wait; for whom it comes early it is none of their own few. */
  const askAll = async (uid: string, question: Question): Promise<void> => {
    await sleep(question.pause)
    if (waiting.get(uid) !== question) return
    const uids = [...waiting.keys()]
    for (const [other, { due, before }] of waiting) if (due > clock() + SOON) asked.set(other, before)
    waiting.clear()
    await refresh()
    answered(uids)
  }
  return {
    ask: (uid, about) => {
      const known = asked.get(uid)
      const before = known?.about === about ? known : { about, times: 0 }
      const pause = PAUSES[about][before.times]
      if (pause === undefined || (waiting.has(uid) && before === known)) return
      asked.set(uid, { about, times: before.times + 1 })
      const question = { pause, due: clock() + pause, before }
      waiting.set(uid, question)
      void askAll(uid, question)
    },
    settle: (uid) => {
      asked.delete(uid)
      waiting.delete(uid)
    },
    retain: (uids) => {
      for (const uid of asked.keys()) if (!uids.has(uid)) asked.delete(uid)
    },
  }
}
