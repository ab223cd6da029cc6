/** What a process held at a moment. */
export interface Sample {
  /** Since the start. */
  readonly hours: number
  /** MiB. */
  readonly rss: number
  readonly heap: number
  readonly handles: number
}

/** Growth by hour, by least squares. Pure. */
export function findSlope(samples: readonly Sample[], pick: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [x, y] = [mean(({ hours }) => hours), mean(pick)]
  const both = mean((sample) => (sample.hours - x) * (pick(sample) - y))
  const own = mean(({ hours }) => (hours - x) ** 2)
  return both / own
}
