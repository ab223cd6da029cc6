/** What is known of the node's pods, by whichever source answers first; what was known last stays where none does. */
import type { Problem } from '../../contract/problem.ts'
import type { NodePod, PodList } from '../core/pods.ts'
import { CannotRun, type PodSource, type SourceName } from './source.ts'

export interface Book {
  /** By uid as it stands in the cgroup's name. */
  readonly pods: ReadonlyMap<string, NodePod>
  /** Of pods that could not be read. */
  readonly problems: readonly Problem[]
  readonly source: SourceName
  /** When it was true, by the feed's clock. */
  readonly at: number
}

/** `undefined` as source: nobody answers. */
export interface Switch {
  readonly from: SourceName | undefined
  readonly to: SourceName | undefined
  /** Why those that come first were passed over. */
  readonly problems: readonly Problem[]
}

export interface Feed {
  readonly book: Book | undefined
  /** Who answered last time. */
  readonly source: SourceName | undefined
  /** Asks; resolves when this question has been answered or given up, and never rejects. */
  readonly refresh: () => Promise<void>
  /** Takes over what a source has heard by itself, if it is the one that answered last; without asking any other. */
  readonly hear: (name: SourceName) => Promise<void>
}

export interface FeedDeps {
  /** In the order in which they are asked. */
  readonly sources: readonly PodSource[]
  /** Milliseconds. */
  readonly clock: () => number
  /** Told when another source answers than before, and when none does any more. */
  readonly switched: (change: Switch) => void
}

export function createFeed({ sources, clock, switched }: FeedDeps): Feed {
  let book: Book | undefined
  let source: SourceName | undefined
  let isFirst = true
  const note = (to: SourceName | undefined, problems: readonly Problem[]): void => {
    if (to !== source || isFirst) switched({ from: source, to, problems })
    isFirst = false
    source = to
  }
  const ask = async (): Promise<void> => {
    const problems: Problem[] = []
    for (const [index, one] of sources.entries()) {
      try {
        const list = await one.read()
        book = toBook(list, one.name, clock())
        for (const other of sources.slice(index + 1)) other.rest?.()
        return note(one.name, problems)
      } catch (error) {
        problems.push(...problemsOf(error))
      }
    }
    note(undefined, problems)
  }
  return {
    get book() {
      return book
    },
    get source() {
      return source
    },
    refresh: singly(ask),
    hear: async (name) => {
      const speaker = sources.find((one) => one.name === name)
      if (speaker === undefined || source !== name) return
      const list = await speaker.read().catch(() => undefined)
      if (list !== undefined) book = toBook(list, name, clock())
    },
  }
}

/** One at a time; whoever asks meanwhile shares the next one, since the one under way may have been answered already. */
function singly(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined
  const run = (): Promise<void> => {
    next = undefined
    current = work().finally(() => {
      current = undefined
    })
    return current
  }
  return () => {
    if (current === undefined) return run()
    next ??= current.then(run)
    return next
  }
}

const toBook = ({ pods, problems }: PodList, source: SourceName, at: number): Book => ({
  pods: new Map(pods.map((pod) => [pod.uid, pod])),
  problems,
  source,
  at,
})

/** Anything else than the source's own word is a mistake of ours: it must not end the loop, and is told like one. */
const problemsOf = (error: unknown): readonly Problem[] =>
  error instanceof CannotRun
    ? error.problems
    : [{ field: 'the list of pods', reason: `failed: ${String(error)}`, cure: 'report this as a bug' }]
