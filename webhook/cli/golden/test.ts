/** `iops-limit test`: golden cases, as other policy tools have them. */
import { dirname, join } from 'node:path'
import { formatProblem } from '../../../contract/problem.ts'
import { list, oneOf, toggle } from '../../../settings/option.ts'
import { formatHelp, readSettings, type SettingsOf } from '../../../settings/settings.ts'
import { type CliEffects, type Command, type Environment, formatCallProblems } from '../command.ts'
import { type Fault, type ManifestObject, readObjects } from '../manifest/objects.ts'
import { spotOf } from '../manifest/spot.ts'
import { gather } from '../review/gather.ts'
import { readInputs } from '../review/inputs.ts'
import { formatFault } from '../review/text.ts'
import { formatJunit } from '../review/xml.ts'
import { type GoldenCase, isCase, readCase } from './case.ts'
import { type Comparison, compareOutcomes, updateExpectations } from './compare.ts'
import { planUpdate, type Update, writeUpdates } from './update.ts'

const NAME = 'iops-limit test'

export const OPTIONS = {
  output: oneOf(['text', 'junit'], {
    flag: 'output',
    short: 'o',
    help: 'form of the report',
    default: 'text',
  }),
  update: toggle({ flag: 'update', help: 'write what came into the cases, as what is expected from now on' }),
  exemptNamespaces: list({
    flag: 'exempt-namespaces',
    placeholder: 'NAME[,NAME...]',
    help: 'namespaces that no policy reaches, whatever their labels say',
    default: ['kube-system', 'kube-public', 'kube-node-lease'],
  }),
}

export const INTRO = `Usage: ${NAME} [OPTION...] DIRECTORY|FILE ...

Runs golden cases: objects of apiVersion test.iops-limit/v1, kind ReviewTest, in the YAML files there.
Exit code: 0 all as expected, 1 something else came, 2 could not run, 3 there is no case.`

export const test: Command = { options: OPTIONS, run: runTest }

type Settings = SettingsOf<typeof OPTIONS>

async function runTest(argv: readonly string[], env: Environment, effects: CliEffects): Promise<number> {
  const read = readSettings(OPTIONS, { argv, env }, Number.POSITIVE_INFINITY)
  if (read.kind === 'help') {
    effects.stdout(formatHelp(INTRO, OPTIONS))
    return 0
  }
  const problems =
    read.kind === 'problems'
      ? read.problems
      : read.operands.length > 0
        ? []
        : ['no directory of cases was named']
  if (read.kind === 'problems' || problems.length > 0) {
    effects.stderr(formatCallProblems(NAME, problems))
    return 2
  }
  return await runCases(read.operands, read.settings, effects)
}

async function runCases(
  operands: readonly string[],
  settings: Settings,
  effects: CliEffects,
): Promise<number> {
  const { files, faults } = await readInputs(operands, effects.readStdin)
  // Other files there are the cases' own manifests, broken ones among them.
  const objects = files.flatMap((file) => readObjects(file).objects).filter(({ value }) => isCase(value))
  const results: CaseResult[] = []
  for (const object of objects) results.push(await runCase(object, settings, effects))
  const unwritten = writeUpdates(results.flatMap(({ update }) => update ?? []))
  const all = [...faults, ...results.flatMap((result) => result.faults), ...unwritten]
  for (const fault of all) effects.stderr(`${NAME}: ${formatFault(fault)}\n`)
  effects.stdout(settings.output === 'junit' ? formatCases(results) : formatText(results))
  if (all.length > 0) return 2
  if (results.length === 0) effects.stderr(`${NAME}: there is no case; see docs/review.md\n`)
  if (results.length === 0) return 3
  return results.some(({ comparisons }) => comparisons.some(({ diff }) => diff !== '')) ? 1 : 0
}

interface CaseResult {
  readonly name: string
  readonly file: string
  readonly comparisons: readonly Comparison[]
  readonly faults: readonly Fault[]
  /** What is to be written, with --update. */
  readonly update?: Update
}

async function runCase(object: ManifestObject, settings: Settings, effects: CliEffects): Promise<CaseResult> {
  const read = readCase(object.value)
  const file = object.file.name
  const none = { name: file, file, comparisons: [] }
  if (!read.ok)
    return {
      ...none,
      faults: read.problems.map((problem) => ({
        ...spotOf(object, problem.field),
        message: formatProblem(problem),
      })),
    }
  const golden = read.value
  const { outcomes, faults } = await judgeCase(golden, dirname(file), { settings, effects })
  const comparisons = compareOutcomes(golden.expect, outcomes)
  const isRight = comparisons.every(({ diff }) => diff === '')
  if (faults.length > 0 || isRight || !settings.update)
    return { ...none, name: golden.name, comparisons, faults }
  const update = planUpdate(object, updateExpectations(golden.expect, outcomes))
  const result = { ...none, name: golden.name }
  return update === undefined
    ? { ...result, faults: [{ file, message: NO_PLACE }] }
    : { ...result, faults, update }
}

const NO_PLACE = 'spec cannot be updated; write it as a block, a key a line'

interface Running {
  readonly settings: Settings
  readonly effects: CliEffects
}

function judgeCase(golden: GoldenCase, folder: string, { settings, effects }: Running) {
  const near = (paths: readonly string[]): readonly string[] => paths.map((path) => join(folder, path))
  return gather({
    operands: near(golden.resources),
    settings: {
      ...golden,
      policies: near(golden.policies),
      namespaces: near(golden.namespaces),
      exemptNamespaces: settings.exemptNamespaces,
      unknownNamespace: 'error',
    },
    effects,
  })
}

function formatText(results: readonly CaseResult[]): string {
  const lines = results.flatMap(({ name, file, comparisons, update, faults }) => {
    const wrong = comparisons.filter(({ diff }) => diff !== '')
    const verdict = update ? 'UPDATED' : wrong.length + faults.length > 0 ? 'FAIL' : 'PASS'
    return [
      `${verdict} ${name} (${file})`,
      ...wrong.flatMap((each) => [`  ${each.name}`, ...indent(each.diff)]),
    ]
  })
  const failed = lines.filter((line) => line.startsWith('FAIL ')).length
  const summary = `${results.length} ${results.length === 1 ? 'case' : 'cases'}, ${failed} failed`
  return `${[...lines, summary].join('\n')}\n`
}

const indent = (text: string): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)

const formatCases = (results: readonly CaseResult[]): string =>
  formatJunit(
    'iops-limit test',
    results.flatMap(({ name, comparisons, faults }) => [
      ...comparisons.map((each) => ({
        name: each.name,
        group: name,
        ...(each.diff !== '' && {
          result: { kind: 'failure', message: 'not as expected', text: each.diff } as const,
        }),
      })),
      ...faults.map((fault) => ({
        name,
        group: name,
        result: { kind: 'error', message: formatFault(fault), text: '' } as const,
      })),
    ]),
  )
