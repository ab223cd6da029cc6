/**
 * Fuzzing of every parser, led by coverage: what reaches a block that nothing before it has is mutated further.
 *   npm run fuzz                       100,000 cases over all parsers
 *   FUZZ_CASES=1000000 npm run fuzz    as many as you like
 * FUZZ_SEED repeats a run; FUZZ_KEEP=1 adds what it found to the corpus.
 */
import { fileURLToPath } from 'node:url'
import { createRandom, type Random, runSeed } from '../support/random.ts'
import { readCorpus, writeCorpus } from './corpus.ts'
import { type Coverage, watchCoverage } from './coverage.ts'
import { mutate } from './mutation.ts'
import { PARSERS, type Parser } from './parsers.ts'

const BATCH = 250
const CASES = Number(process.env['FUZZ_CASES'] ?? 100_000)
const ROOT = `file://${fileURLToPath(new URL('../..', import.meta.url))}`

interface Outcome {
  readonly failure?: string
  /** Texts that led to new blocks. */
  readonly found: readonly string[]
}

function fuzz({ name, seeds, check }: Parser, cases: number, random: Random, coverage: Coverage): Outcome {
  const pool = [...seeds, ...readCorpus(name)]
  const found: string[] = []
  const failure = tryAll(pool, check)
  if (failure !== undefined) return { failure, found }
  const seen = new Set(coverage.look())
  for (let done = 0; done < cases; done += BATCH) {
    const count = Math.min(BATCH, cases - done)
    const texts = Array.from({ length: count }, () => mutate(random.pick(pool), pool, random))
    const broken = tryAll(texts, check)
    if (broken !== undefined) return { failure: broken, found }
    const fresh = coverage.look().filter((block) => !seen.has(block))
    if (fresh.length === 0) continue
    for (const text of findTelling(texts, new Set(fresh), check, coverage)) {
      pool.push(text)
      found.push(text)
    }
    for (const block of fresh) seen.add(block)
  }
  return { found }
}

/** What went wrong first, and on which text. */
function tryAll(texts: readonly string[], check: Parser['check']): string | undefined {
  for (const text of texts) {
    try {
      check(text)
    } catch (error) {
      return `${JSON.stringify(text)}\n${error instanceof Error ? (error.stack ?? '') : String(error)}`
    }
  }
  return undefined
}

/** Those that reach the blocks, each the first to reach one of them. */
function findTelling(
  texts: readonly string[],
  blocks: Set<string>,
  check: Parser['check'],
  coverage: Coverage,
): readonly string[] {
  return texts.filter((text) => {
    if (blocks.size === 0) return false
    check(text)
    const reached = coverage.look().filter((block) => blocks.delete(block))
    return reached.length > 0
  })
}

/** The corpus is for reading, too. */
const isShort = (text: string): boolean => text.length < 4000

function run(): number {
  const seed = runSeed()
  const random = createRandom(seed)
  const share = Math.ceil(CASES / PARSERS.length)
  using coverage = watchCoverage(ROOT)
  let failures = 0
  for (const parser of PARSERS) {
    const began = performance.now()
    const { failure, found } = fuzz(parser, share, random, coverage)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    if (failure !== undefined) failures += 1
    const verdict =
      failure === undefined ? `${found.length} led further` : `FAILED (FUZZ_SEED=${seed}): ${failure}`
    process.stdout.write(`${parser.name}: ${share} cases, ${seconds} s, ${verdict}\n`)
    if (process.env['FUZZ_KEEP'] === '1')
      writeCorpus(parser.name, [...readCorpus(parser.name), ...found.filter(isShort)])
  }
  process.stdout.write(`fuzz: ${PARSERS.length - failures} passed, ${failures} failed (seed ${seed})\n`)
  return failures === 0 ? 0 : 1
}

process.exitCode = run()
