/**
 * Mutation testing of the pure rooms: each small mistake has to make some test of its room fail.
 *   npm run mutation -- [--every N] [FILE...]      all files of the pure rooms if none is named; every Nth mutant of each
 * Exit code 0 where at least 85 % are killed.
 */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { findMutants, type Mutant } from './mutants.ts'

/** Rooms, and where their tests are. */
const ROOMS: Readonly<Record<string, string>> = {
  contract: 'test/unit/contract',
  settings: 'test/unit/settings',
  'webhook/policy': 'test/unit/policy',
  'webhook/admission': 'test/unit/admission',
  'webhook/advisor/core': 'test/unit/advisor',
  'enforcer/core': 'test/unit/enforcer',
}
const WANTED = 0.85
/** Milliseconds: what takes longer never ends. */
const LONGEST = 120_000

const VITEST = [
  ...['node_modules/vitest/vitest.mjs', 'run', '--configLoader=native'],
  ...['-c', 'test/mutation/vitest.config.ts', '--root', '.'],
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { every: { type: 'string', default: '1' } },
})

interface Job extends Mutant {
  readonly path: string
}

const paths =
  positionals.length > 0 ? positionals : Object.keys(ROOMS).flatMap((room) => globSync(`${room}/*.ts`))
const jobs = paths.flatMap((path) =>
  findMutants(path, readFileSync(path, 'utf8'))
    .filter((_, index) => index % Number(values.every) === 0)
    .map((mutant): Job => ({ path, ...mutant })),
)
// Of each room once: a red suite would kill everything, and one that does not see the mutants nothing.
const firsts = [...Map.groupBy(paths, findTests).values()].flatMap((all) => all.slice(0, 1))
for (const path of firsts) {
  const nothing = { path, start: 0, end: 0, replacement: '', line: 1 }
  const sabotage = { ...nothing, replacement: 'throw new Error()\n' }
  if (!(await isKilled(sabotage))) throw new Error(`the tests of ${path} do not see its mutants`)
  if (await isKilled(nothing)) throw new Error(`the tests of ${path} fail without a mutant`)
}
const survivors: Job[] = []
const queue = jobs.values()
await Promise.all(
  Array.from({ length: Math.max(1, availableParallelism() - 1) }, () => work(queue, survivors)),
)
const share = (jobs.length - survivors.length) / jobs.length
process.stdout.write(
  `mutation: ${jobs.length - survivors.length} of ${jobs.length} killed (${(share * 100).toFixed(1)} %)\n`,
)
process.exitCode = share >= WANTED ? 0 : 1

async function work(left: Iterable<Job>, alive: Job[]): Promise<void> {
  for (const job of left) {
    if (await isKilled(job)) continue
    alive.push(job)
    const text = readFileSync(job.path, 'utf8')
    process.stdout.write(
      `${job.path}:${job.line}: ${JSON.stringify(text.slice(job.start, job.end))} -> ${JSON.stringify(job.replacement)} survived\n`,
    )
  }
}

function findTests(path: string): string {
  const room = Object.keys(ROOMS).find((folder) => path.startsWith(`${folder}/`))
  return ROOMS[room ?? ''] ?? 'test/unit'
}

function isKilled({ path, start, end, replacement }: Job): Promise<boolean> {
  const env = { ...process.env, MUTANT: JSON.stringify({ path, start, end, replacement }), FUZZ_CASES: '300' }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...VITEST, findTests(path)],
      { env, timeout: LONGEST, killSignal: 'SIGKILL' },
      (error) => resolve(error !== null),
    )
  })
}
