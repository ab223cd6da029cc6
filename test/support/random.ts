/** Chance that repeats itself: a failing case is found again by its seed. */
export interface Random {
  /** From 0 up to, and without, `below`. */
  readonly below: (below: number) => number
  readonly pick: <T>(items: readonly T[]) => T
}

/** mulberry32: 32 bits of state are enough to shuffle test cases. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    pick: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
  }
}

/** The seed of this run, printed where a case fails; `FUZZ_SEED` repeats a run. */
export const runSeed = (): number => Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
