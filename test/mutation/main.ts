/**
 * Mutation testing of the pure rooms, by Stryker: each small mistake in them has to make some test of its room fail.
 *   npm run mutation -- [--skip-constants] [PATTERN...]      files of the pure rooms; all of them if none is named
 * Exit code 0 where of each room at least 85 % are killed. Survivors are printed, and stand in coverage/mutation/ROOM.html.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'

/** Rooms, and where their tests are. */
const ROOMS = {
  contract: 'test/unit/contract',
  settings: 'test/unit/settings',
  'webhook/policy': 'test/unit/policy',
  'webhook/admission': 'test/unit/admission',
  'webhook/advisor/core': 'test/unit/advisor',
  'enforcer/core': 'test/unit/enforcer',
}
const WANTED = 85
const REPORTS = 'coverage/mutation'

type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number]

interface Chosen {
  /** All of them where left out. */
  readonly files: ReadonlySet<string> | undefined
  /** Leaves out mistakes in constants of modules: each of these takes all of the room's tests, and so half of the time. */
  readonly skipsConstants: boolean
}

/** Per cent killed; undefined where none of the room's files is meant. */
async function mutate(room: string, tests: string, chosen: Chosen): Promise<number | undefined> {
  const files = globSync(`${room}/**/*.ts`).filter((file) => chosen.files?.has(file) !== false)
  if (files.length === 0) return undefined
  // For Vitest's configuration, in the processes that Stryker starts.
  Object.assign(process.env, { MUTATION_TESTS: tests, FUZZ_CASES: '300' })
  const report = `${REPORTS}/${room.replaceAll('/', '-')}`
  const mutants = await new Stryker({
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    mutate: files,
    coverageAnalysis: 'perTest',
    ignoreStatic: chosen.skipsConstants,
    concurrency: Math.max(1, availableParallelism() - 1),
    tempDirName: `${REPORTS}/tmp`,
    ignorePatterns: ['.git', 'charts', 'coverage', 'dist'],
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    clearTextReporter: { reportTests: false, logTests: false },
    htmlReporter: { fileName: `${report}.html` },
    jsonReporter: { fileName: `${report}.json` },
    warnings: { unknownOptions: true, preprocessorErrors: true, unserializableOptions: true, slow: false },
  }).runMutationTest()
  const isKilled = ({ status }: MutantResult): boolean => status === 'Killed' || status === 'Timeout'
  // The score as Stryker counts it: without what does not even load.
  const valid = mutants.filter((one) => isKilled(one) || ['Survived', 'NoCoverage'].includes(one.status))
  return (100 * valid.filter(isKilled).length) / valid.length
}

const { values, positionals: patterns } = parseArgs({
  options: { 'skip-constants': { type: 'boolean', default: false } },
  allowPositionals: true,
})
const chosen: Chosen = {
  files: patterns.length > 0 ? new Set(patterns.flatMap((pattern) => globSync(pattern))) : undefined,
  skipsConstants: values['skip-constants'],
}
const scores = new Map<string, number>()
for (const [room, tests] of Object.entries(ROOMS)) {
  const score = await mutate(room, tests, chosen)
  if (score !== undefined) scores.set(room, score)
}
for (const [room, score] of scores) process.stdout.write(`mutation: ${room}: ${score.toFixed(1)} % killed\n`)
if (scores.size === 0)
  process.stderr.write(`mutation: ${patterns.join(' ')}: no file of ${Object.keys(ROOMS).join(', ')}\n`)
process.exitCode = scores.size > 0 && [...scores.values()].every((score) => score >= WANTED) ? 0 : 1
