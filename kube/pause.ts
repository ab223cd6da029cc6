/** How long to wait before something that failed is tried again. */
const SHORTEST_PAUSE = 200
const LONGEST_PAUSE = 15_000
const LONGEST_ASKED = 60_000

/** Milliseconds: doubled with each failure in a row, the upper half of it by chance; never less than the server asks for. */
export function findPause(failures: number, asked: number, random: () => number): number {
  const whole = Math.min(SHORTEST_PAUSE * 2 ** failures, LONGEST_PAUSE)
  return Math.max((whole * (1 + random())) / 2, Math.min(asked, LONGEST_ASKED))
}
