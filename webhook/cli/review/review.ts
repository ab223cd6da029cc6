/** `iops-limit review`: what admission would do with manifests, by the webhook's own engine. */
import { formatHelp, readSettings } from '../../../settings/settings.ts'
import type { ClusterState } from '../cluster.ts'
import { type CliEffects, type Command, type Environment, formatCallProblems } from '../command.ts'
import type { Fault } from '../manifest/objects.ts'
import { type Findings, faultOf, gather } from './gather.ts'
import { INTRO, NAME, OPTIONS, type Settings } from './options.ts'
import { createProgress } from './progress.ts'
import { findExitCode } from './report.ts'
import { writeReport } from './write.ts'

export const review: Command = { options: OPTIONS, run: runReview }

async function runReview(argv: readonly string[], env: Environment, effects: CliEffects): Promise<number> {
  const read = readSettings(OPTIONS, { argv, env }, Number.POSITIVE_INFINITY)
  if (read.kind === 'help') {
    effects.stdout(formatHelp(INTRO, OPTIONS))
    return 0
  }
  const problems = read.kind === 'problems' ? read.problems : findCallProblems(read.operands, read.settings)
  if (read.kind === 'problems' || problems.length > 0) {
    effects.stderr(formatCallProblems(NAME, problems))
    return 2
  }
  const { settings } = read
  const findings = await find(read.operands, settings, effects)
  const exitCode = findExitCode(findings, settings)
  await writeReport({ ...findings, exitCode }, settings, { env, effects })
  return exitCode
}

function findCallProblems(operands: readonly string[], settings: Settings): readonly string[] {
  const { diff, patched, output, server, fromCluster, kubeconfig, context } = settings
  return [
    ...(operands.length > 0
      ? []
      : ['nothing to review was named: write files, directories, or - for standard input']),
    ...(diff && patched ? ['--diff and --patched both want standard output: give one of them'] : []),
    ...((diff || patched) && output !== 'text'
      ? [
          `--output ${output} and ${diff ? '--diff' : '--patched'} both want standard output: give one of them`,
        ]
      : []),
    ...(server !== undefined && !/^https:\/\/[^/]/.test(server)
      ? [`--server ${JSON.stringify(server)} is not a URL such as https://localhost:8443/mutate`]
      : []),
    ...(!fromCluster && (kubeconfig ?? context) !== undefined
      ? ['--kubeconfig and --context mean nothing without --from-cluster: add it']
      : []),
  ]
}

/** Whatever of the world fails is a fault of the report: every form of it tells, and the exit code is 2. */
async function find(operands: readonly string[], settings: Settings, effects: CliEffects): Promise<Findings> {
  const faults: Fault[] = []
  const keep = (error: unknown): undefined => void faults.push(faultOf(error))
  const cluster = settings.fromCluster ? await readCluster(settings).catch(keep) : undefined
  const progress = createProgress(effects, settings)
  const found = await gather({
    operands,
    settings,
    effects,
    onFile: progress.tell,
    ...(cluster && { cluster }),
  })
  progress.end()
  const outcomes =
    settings.server === undefined
      ? found.outcomes
      : ((await compare(found.outcomes, settings, settings.server).catch(keep)) ?? found.outcomes)
  // Without the cluster there may be no policy: that is no fault of its own.
  return {
    ...found,
    outcomes,
    faults:
      faults.length > 0
        ? [...faults, ...found.faults.filter(({ file }) => file !== undefined)]
        : found.faults,
  }
}

// What few runs need is loaded when they do: client-node alone takes 0.3 s.
async function readCluster(settings: Settings): Promise<ClusterState> {
  const { openCluster, readClusterState } = await import('../cluster.ts')
  return readClusterState(openCluster(settings))
}

async function compare(
  outcomes: Findings['outcomes'],
  { serverCa }: Settings,
  server: string,
): Promise<Findings['outcomes']> {
  const { compareWithServer } = await import('./server.ts')
  return compareWithServer(outcomes, { server, serverCa })
}
