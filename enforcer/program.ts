/** The program `iops-limit-enforcer`, as a function from arguments to an exit status. */

import { formatProblem, type Problem } from '../contract/problem.ts'
import { type Given, readSettings } from '../settings/settings.ts'
import { applyWrites } from './apply.ts'
import { runDaemon } from './daemon.ts'
import type { DaemonEffects, Effects } from './effects.ts'
import { findLegacyNotices } from './legacy.ts'
import type { Log } from './log.ts'
import { type Survey, survey } from './pass.ts'
import { readPlace } from './place.ts'
import { releaseAll } from './release.ts'
import { type EnforcerSettings, HELP, OPTIONS } from './settings.ts'
import { readOnce } from './sources/once.ts'
import { CannotRun } from './sources/source.ts'

/** 0: every limit holds. 1: something could not be enforced. 2: it could not run. */
export type ExitStatus = 0 | 1 | 2

export async function runEnforcer(given: Given, effects: Effects): Promise<ExitStatus> {
  const [command, ...argv] = given.argv
  const isRelease = command === 'release'
  const read = readSettings(OPTIONS, isRelease ? { ...given, argv } : given)
  if (read.kind === 'help') {
    effects.writeOut(HELP)
    return 0
  }
  if (read.kind === 'problems') return complain(effects, read.problems)
  const { settings } = read
  const log = effects.createLog(settings.logLevel)
  for (const { level, ...notice } of findLegacyNotices(settings, given.env)) log[level](notice, notice.text)
  const run: Run = { settings, env: given.env, effects: { ...effects, log } }
  if (isRelease) return await release(run)
  if (settings.plan) return await printPlan(run)
  return settings.once ? await makePass(run) : await stay(run)
}

function complain(effects: Effects, problems: readonly string[]): ExitStatus {
  effects.writeError(problems.map((problem) => `iops-limit-enforcer: ${problem}\n`).join(''))
  return 2
}

interface Run {
  readonly settings: EnforcerSettings
  readonly env: Given['env']
  readonly effects: DaemonEffects
}

async function printPlan(run: Run): Promise<ExitStatus> {
  const planned = await attempt(run)
  if (planned === undefined) return 2
  run.effects.writeOut(
    planned.writes
      .map(({ pod, container, path, value }) => `${JSON.stringify({ pod, container, path, value })}\n`)
      .join(''),
  )
  return planned.problems.length > 0 ? 1 : 0
}

async function makePass(run: Run): Promise<ExitStatus> {
  const { settings, effects } = run
  const planned = await attempt(run)
  if (planned === undefined) return 2
  const { written, gone, failures } = applyWrites(planned.writes)
  logProblems(effects.log, failures)
  const { pods, limited, place } = planned
  const { tree, devices } = place
  effects.log.info(
    {
      node: settings.nodeName,
      cgroup: tree.version,
      devices,
      pods,
      limited,
      written,
      gone,
      failed: failures.length,
    },
    'pass',
  )
  return planned.problems.length + failures.length > 0 ? 1 : 0
}

/** Undefined where the pass could not be made. */
async function attempt({ settings, env, effects }: Run): Promise<Survey | undefined> {
  const { log } = effects
  try {
    const [list, place] = await Promise.all([
      readOnce(settings, env, effects).catch(toProblems),
      readPlace(settings, false),
    ])
    if ('wrong' in list || !place.ok)
      throw new CannotRun([...('wrong' in list ? list.wrong : []), ...(place.ok ? [] : place.problems)])
    const planned = survey(list, place.value)
    for (const notice of planned.notices) log.warn(notice)
    logProblems(log, planned.problems)
    return planned
  } catch (error) {
    if (error instanceof CannotRun) logProblems(log, error.problems)
    else log.error({ err: error }, 'the pass failed')
    return undefined
  }
}

function toProblems(error: unknown): { readonly wrong: readonly Problem[] } {
  if (error instanceof CannotRun) return { wrong: error.problems }
  throw error
}

async function stay(run: Run): Promise<ExitStatus> {
  const { settings, effects } = run
  const problems = await runDaemon(run, effects)
  logProblems(effects.log, problems)
  if (problems.length > 0) return 2
  return settings.releaseOnExit ? await release(run) : 0
}

async function release({ settings, effects: { log } }: Run): Promise<ExitStatus> {
  const place = await readPlace(settings, false)
  if (!place.ok) {
    logProblems(log, place.problems)
    return 2
  }
  const { lifted, problems } = releaseAll(place.value)
  logProblems(log, [...place.value.problems, ...problems])
  log.info({ devices: place.value.devices, lifted, failed: problems.length }, 'released')
  return problems.length + place.value.problems.length > 0 ? 1 : 0
}

function logProblems(log: Log, problems: readonly Problem[]): void {
  for (const problem of problems) log.error(formatProblem(problem))
}
