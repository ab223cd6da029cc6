/** What an enforcer costs, as a table. Pure. */
import { formatMarkdown } from '../cluster/markdown.ts'
import { findQuantile } from '../distribution.ts'
import { medianOf } from '../webhook/table.ts'

/** One life of one enforcer. */
export interface Life {
  readonly tree: string
  /** Of three containers. */
  readonly pods: number
  /** Milliseconds from the start of the process. */
  readonly firstLimit: number
  readonly lastLimit: number
  /** Milliseconds of a pass over everything that has nothing to write: by its own clock, and of the processor, the list of pods included. */
  readonly pass: number
  readonly passCpu: number
  /** Milliseconds of the processor beyond that for a line that changes with an annotation, and for a pod that comes while another goes. */
  readonly lineCpu: number
  readonly podCpu: number
  /** Milliseconds from when the cgroup of each of some containers was there until its limit stood; none: they were not real. */
  readonly containers: readonly number[]
  /** MiB, at the end, and at most. */
  readonly rss: number
  readonly most: number
}

/** Medians of the lives of each tree and size, in their order; `interval`: seconds between passes. */
export function formatLives(lives: readonly Life[], interval: number): string {
  const groups = Map.groupBy(lives, ({ tree, pods }) => `${tree}, ${pods} pods`)
  const rows = [...groups].map(([name, own]) => {
    const median = (pick: (life: Life) => number): number => medianOf(own.map(pick))
    const cpu = median(({ passCpu }) => passCpu)
    const containers = own.flatMap((life) => life.containers).toSorted((a, b) => a - b)
    return [
      name,
      ...[median(({ firstLimit }) => firstLimit), median(({ lastLimit }) => lastLimit)].map((ms) =>
        ms.toFixed(0),
      ),
      median(({ pass }) => pass).toFixed(1),
      cpu.toFixed(1),
      (cpu / (interval * 10)).toFixed(2),
      median(({ lineCpu }) => lineCpu).toFixed(2),
      median(({ podCpu }) => podCpu).toFixed(2),
      ...[0.5, 0.99].map((share) =>
        containers.length > 0 ? findQuantile(containers, share).toFixed(1) : '',
      ),
      median(({ rss }) => rss).toFixed(0),
      median(({ most }) => most).toFixed(0),
    ]
  })
  return formatMarkdown([...HEAD.slice(0, 5), `of a core, every ${interval} s, %`, ...HEAD.slice(5)], rows)
}

const HEAD = [
  'tree',
  'first limit, ms',
  'last limit, ms',
  'a pass, ms',
  'CPU of it, ms',
  'CPU a line, ms',
  'CPU a new pod, ms',
  'a container limited, median ms',
  'p99 ms',
  'RSS MiB',
  'at most',
]
