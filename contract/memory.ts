/** What a few texts that are said over and over were found to mean: of many pods each says what the others say. */
export interface Memory<V> {
  /** Undefined where it is not known. */
  readonly recall: (text: string) => V | undefined
  /** Gives the value back. */
  readonly keep: (text: string, value: V) => V
}

export interface MemoryBounds {
  /** Texts; one more, and all are forgotten. */
  readonly most: number
  /** Characters of a text that is kept at all. */
  readonly longest: number
}

/** Bounded, so that whoever makes up ever new texts gains no more of the memory. */
export function createMemory<V>({ most, longest }: MemoryBounds): Memory<V> {
  const known = new Map<string, V>()
  return {
    recall: (text) => known.get(text),
    keep(text, value) {
      if (text.length > longest) return value
      if (known.size >= most) known.clear()
      known.set(text, value)
      return value
    },
  }
}
