/** The program `iops-limit-enforcer`, as a function from arguments to an exit status. */
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { formatProblem, messageOf, type Problem } from '../contract/problem.ts'
import { type Given, readSettings } from '../settings/settings.ts'
import { applyWrites } from './apply.ts'
import { CannotRun, type ReadPodList, type Survey, survey } from './pass.ts'
import { type EnforcerSettings, HELP, OPTIONS, UNNEEDED } from './settings.ts'

export interface Effects {
  readonly writeOut: (text: string) => void
  readonly writeError: (text: string) => void
  readonly createLog: (level: string) => Logger
  /** Resolves after so many milliseconds, or at once when the program is to end. */
  readonly pause: (milliseconds: number) => Promise<void>
  readonly isEnding: () => boolean
}

/** 0: every limit holds. 1: something could not be enforced. 2: it could not run. */
export type ExitStatus = 0 | 1 | 2

export async function runEnforcer(given: Given, effects: Effects): Promise<ExitStatus> {
  const read = readSettings(OPTIONS, given)
  if (read.kind === 'help') {
    effects.writeOut(HELP)
    return 0
  }
  if (read.kind === 'problems') return complain(effects, read.problems)
  const { podsFile } = read.settings
  const log = effects.createLog(read.settings.logLevel)
  for (const name of UNNEEDED) {
    if (given.env[name] !== undefined)
      log.info({ variable: name }, `${name} is not needed: cgroups are found by pod uid`)
  }
  const readPodList: ReadPodList = async () => await readJson(podsFile)
  if (read.settings.plan) return await printPlan(read.settings, readPodList, { ...effects, log })
  return await enforce(read.settings, readPodList, { ...effects, log })
}

function complain(effects: Effects, problems: readonly string[]): ExitStatus {
  effects.writeError(problems.map((problem) => `iops-limit-enforcer: ${problem}\n`).join(''))
  return 2
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new CannotRun([
      {
        field: `--pods-file ${file}`,
        reason: `cannot be read: ${messageOf(error)}`,
        cure: "give a file that holds the kubelet's answer to /pods as JSON",
      },
    ])
  }
}

type Logged = Effects & { readonly log: Logger }

async function printPlan(
  settings: EnforcerSettings,
  readPodList: ReadPodList,
  { writeOut, log }: Logged,
): Promise<ExitStatus> {
  const planned = await attempt(settings, readPodList, log)
  if (planned === undefined) return 2
  writeOut(
    planned.writes
      .map(({ pod, container, path, value }) => `${JSON.stringify({ pod, container, path, value })}\n`)
      .join(''),
  )
  return planned.problems.length > 0 ? 1 : 0
}

/** Passes until the end; an exit status tells of the last one. A node that cannot be enforced on yet is asked again. */
async function enforce(
  settings: EnforcerSettings,
  readPodList: ReadPodList,
  effects: Logged,
): Promise<ExitStatus> {
  for (;;) {
    const status = await makePass(settings, readPodList, effects.log)
    if (settings.once) return status
    await effects.pause(settings.interval)
    if (effects.isEnding()) return 0
  }
}

async function makePass(
  settings: EnforcerSettings,
  readPodList: ReadPodList,
  log: Logger,
): Promise<ExitStatus> {
  const planned = await attempt(settings, readPodList, log)
  if (planned === undefined) return 2
  const { written, gone, failures } = await applyWrites(planned.writes)
  logProblems(log, failures)
  const { pods, limited, devices, tree } = planned
  // A loop that finds nothing to do has nothing to tell.
  const isNews = settings.once || written + gone + failures.length > 0
  log[isNews ? 'info' : 'debug'](
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
async function attempt(
  settings: EnforcerSettings,
  readPodList: ReadPodList,
  log: Logger,
): Promise<Survey | undefined> {
  try {
    const planned = await survey(settings, readPodList)
    for (const notice of planned.notices) log.warn(notice)
    logProblems(log, planned.problems)
    return planned
  } catch (error) {
    if (error instanceof CannotRun) logProblems(log, error.problems)
    else log.error({ err: error }, 'the pass failed')
    return undefined
  }
}

function logProblems(log: Logger, problems: readonly Problem[]): void {
  for (const problem of problems) log.error(formatProblem(problem))
}
