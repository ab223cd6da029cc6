/** A report in the form that was asked for. */
import type { CliEffects, Environment } from '../command.ts'
import { describeAnew, joinStreams, textOf } from '../manifest/rewrite.ts'
import type { Findings } from './gather.ts'
import { formatGithub } from './github.ts'
import { formatJson } from './json.ts'
import { formatJunitReport } from './junit.ts'
import { NAME, type Settings } from './options.ts'
import { choosePaint, type Paint } from './paint.ts'
import { patchOutcomes } from './patched.ts'
import type { Report } from './report.ts'
import { formatSarif } from './sarif.ts'
import { formatFault, formatText } from './text.ts'

interface Outside {
  readonly env: Environment
  readonly effects: CliEffects
}

export async function writeReport(
  report: Report & Pick<Findings, 'files'>,
  settings: Settings,
  { env, effects }: Outside,
): Promise<void> {
  const { stdout, stderr, isTerminal } = effects
  const paintFor = (isTerminal: boolean): Paint =>
    choosePaint(settings.color, { isTerminal, noColor: env['NO_COLOR'] })
  for (const fault of report.faults) stderr(`${NAME}: ${formatFault(fault)}\n`)
  if (!settings.diff && !settings.patched) {
    stdout(formatReport(report, settings, paintFor(isTerminal.stdout)))
    return
  }
  stderr(formatReport(report, settings, paintFor(isTerminal.stderr)))
  const files = patchOutcomes(report.files, report.outcomes)
  for (const said of files.map(describeAnew).filter((text) => text !== '')) stderr(`${NAME}: ${said}\n`)
  if (settings.patched) stdout(joinStreams(files.map(textOf)))
  else stdout((await import('./diff.ts')).formatDiff(files, paintFor(isTerminal.stdout)))
}

function formatReport(report: Report, settings: Settings, paint: Paint): string {
  switch (settings.output) {
    case 'json':
      return formatJson(report)
    case 'junit':
      return formatJunitReport(report, settings)
    case 'sarif':
      return formatSarif(report)
    case 'github':
      return formatGithub(report)
    case 'text':
      return formatText(report, { ...settings, paint })
  }
}
