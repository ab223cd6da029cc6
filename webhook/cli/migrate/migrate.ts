/** `iops-limit migrate`: manifests and environment of the older service, as this product has them. */
import { writeFileSync } from 'node:fs'
import { dump } from 'js-yaml'
import { ALIAS_KEYS } from '../../../contract/aliases.ts'
import { ENFORCE_LABEL } from '../../../contract/keys.ts'
import { messageOf } from '../../../contract/problem.ts'
import { list, optionalText, text, toggle } from '../../../settings/option.ts'
import { formatHelp, readSettings, type SettingsOf } from '../../../settings/settings.ts'
import { type CliEffects, type Command, type Environment, formatCallProblems } from '../command.ts'
import { isFields, type ManifestObject, readObjects } from '../manifest/objects.ts'
import { valueAt } from '../manifest/path.ts'
import {
  describeAnew,
  joinStreams,
  type PatchedFile,
  type PlacedEdit,
  patchFiles,
  textOf,
} from '../manifest/rewrite.ts'
import { findSites } from '../manifest/sites.ts'
import { spotAt } from '../manifest/spot.ts'
import { readInputs } from '../review/inputs.ts'
import { formatFault } from '../review/text.ts'
import { isNamespace } from '../review/world.ts'
import { migrateAnnotations } from './annotations.ts'
import { type MigratedPolicy, migrateEnvironment } from './environment.ts'
import { findEnvironment, parseEnvironment } from './settings.ts'

const NAME = 'iops-limit migrate'

export const OPTIONS = {
  files: list({
    flag: 'filename',
    short: 'f',
    placeholder: 'FILE[,FILE...]',
    help: 'manifests, as operands too: files, directories, patterns, - for standard input',
    default: [],
  }),
  envFile: optionalText({
    flag: 'env-file',
    placeholder: 'FILE',
    help: "the older service's environment, KEY=VALUE lines; otherwise that of a container of the manifests",
  }),
  policyName: text({
    flag: 'policy-name',
    placeholder: 'NAME',
    help: 'name of the policy that is made',
    default: 'migrated',
  }),
  write: toggle({
    flag: 'write',
    help: 'write the manifests back in place; only the policy is printed then',
  }),
}

export const INTRO = `Usage: ${NAME} [-f] FILE|DIRECTORY|GLOB|- ... [--env-file FILE] [OPTION...]

Rewrites annotations of the older service (kubediskguard.io/*, io-limit/*, nvme-*) to the keys of today, comments kept, and turns
its environment into an IOLimitPolicy and labels of the Namespaces in the manifests. What differs is told on standard error.
Exit code: 0 done, 1 some value has to be mended by hand, 2 could not run.`

export const migrate: Command = { options: OPTIONS, run: runMigrate }

type Settings = SettingsOf<typeof OPTIONS>

async function runMigrate(argv: readonly string[], env: Environment, effects: CliEffects): Promise<number> {
  const read = readSettings(OPTIONS, { argv, env }, Number.POSITIVE_INFINITY)
  if (read.kind === 'help') {
    effects.stdout(formatHelp(INTRO, OPTIONS))
    return 0
  }
  const operands = read.kind === 'settings' ? [...read.settings.files, ...read.operands] : []
  const isEmpty = read.kind === 'settings' && operands.length === 0 && read.settings.envFile === undefined
  const problems = [
    ...(read.kind === 'problems' ? read.problems : []),
    ...(isEmpty ? ['nothing to migrate was named: write files, or --env-file FILE'] : []),
  ]
  if (read.kind === 'problems' || problems.length > 0) {
    effects.stderr(formatCallProblems(NAME, problems))
    return 2
  }
  return await migrateFiles(operands, read.settings, effects)
}

async function migrateFiles(
  operands: readonly string[],
  settings: Settings,
  effects: CliEffects,
): Promise<number> {
  const { files, faults } = await readInputs(operands, effects.readStdin)
  const envFile =
    settings.envFile === undefined ? undefined : await readInputs([settings.envFile], effects.readStdin)
  const read = files.map(readObjects)
  const all = [...faults, ...(envFile?.faults ?? []), ...read.flatMap((each) => each.faults)]
  for (const fault of all) effects.stderr(`${NAME}: ${formatFault(fault)}\n`)
  if (all.length > 0) return 2
  const objects = read.flatMap((each) => each.objects)
  const environment =
    envFile?.files.map(({ text }) => parseEnvironment(text))[0] ?? firstOf(objects.map(findEnvironment))
  const migrated = environment && migrateEnvironment(environment, settings.policyName)
  const changes = objects.map((object) => migrateObject(object, migrated, settings.policyName))
  for (const said of [
    ...changes.flatMap(({ said }) => said),
    ...(migrated?.remarks ?? []),
    ...adviseLabels(objects, migrated, settings),
  ])
    effects.stderr(`${said}\n`)
  const patched = patchFiles(
    files,
    changes.flatMap(({ edits }) => edits),
  )
  for (const said of patched.map(describeAnew).filter((text) => text !== '')) effects.stderr(`${said}\n`)
  return write(patched, { migrated, settings, effects, isWhole: changes.every(({ isWhole }) => isWhole) })
}

const firstOf = <T>(items: readonly (T | undefined)[]): T | undefined =>
  items.find((item) => item !== undefined)

interface Change {
  readonly edits: readonly PlacedEdit[]
  readonly said: readonly string[]
  /** Nothing is left to do by hand. */
  readonly isWhole: boolean
}

function migrateObject(object: ManifestObject, policy: MigratedPolicy | undefined, name: string): Change {
  if (isNamespace(object)) return labelNamespace(object, policy, name)
  const sites = findSites(object, [])
  const parts = sites.map(({ path }) => migratePod(object, path))
  const stray = sites.some(({ path }) => path.length === 0) ? [] : findStray(object)
  return {
    edits: parts.flatMap(({ edits }) => edits),
    said: [...parts.flatMap(({ said }) => said), ...stray],
    isWhole: parts.every(({ isWhole }) => isWhole),
  }
}

function migratePod(object: ManifestObject, path: readonly string[] | ManifestObject['path']): Change {
  const place = [...path, 'metadata', 'annotations']
  const found = valueAt(object.value, place)
  const texts = Object.entries(isFields(found) ? found : {}).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  )
  const { set, remove, remarks, problems } = migrateAnnotations(Object.fromEntries(texts))
  const at = formatSpot(object, place)
  const edit = { object: [...object.path, ...path], map: 'annotations', set, remove } as const
  return {
    edits: remove.length === 0 ? [] : [{ file: object.file, document: object.document, edit }],
    said: [...remarks.map((text) => `${at}: ${text}`), ...problems.map((text) => `${at}: to mend: ${text}`)],
    isWhole: problems.length === 0,
  }
}

/** On a workload itself they never reached a pod. */
function findStray(object: ManifestObject): readonly string[] {
  const path = ['metadata', 'annotations']
  const own = valueAt(object.value, path)
  return Object.keys(isFields(own) ? own : {})
    .filter((key) => ALIAS_KEYS.has(key))
    .map(
      (key) =>
        `${formatSpot(object, [...path, key])}: ${key} limits nothing here: it belongs on the pod template`,
    )
}

function labelNamespace(object: ManifestObject, policy: MigratedPolicy | undefined, value: string): Change {
  const { metadata } = object.value
  const { name, labels } = isFields(metadata) ? metadata : {}
  const isLabelled = isFields(labels) && Object.hasOwn(labels, ENFORCE_LABEL)
  if (policy === undefined || isLabelled || typeof name !== 'string' || policy.excluded.includes(name))
    return { edits: [], said: [], isWhole: true }
  const edit = { object: object.path, map: 'labels', set: { [ENFORCE_LABEL]: value }, remove: [] } as const
  return { edits: [{ file: object.file, document: object.document, edit }], said: [], isWhole: true }
}

function adviseLabels(
  objects: readonly ManifestObject[],
  migrated: MigratedPolicy | undefined,
  { policyName }: Settings,
): readonly string[] {
  if (migrated === undefined || objects.some(isNamespace)) return []
  const left =
    migrated.excluded.length === 0 ? '' : `; the policy has no effect in ${migrated.excluded.join(', ')}`
  return [`next: kubectl label namespace --all ${ENFORCE_LABEL}=${policyName}${left}`]
}

const formatSpot = (object: ManifestObject, path: ManifestObject['path']): string => {
  const { file, mark } = spotAt(object, path)
  return `${file}:${mark.line}`
}

interface Writing {
  readonly migrated: MigratedPolicy | undefined
  readonly settings: Settings
  readonly effects: CliEffects
  readonly isWhole: boolean
}

function write(patched: readonly PatchedFile[], { migrated, settings, effects, isWhole }: Writing): number {
  const policy =
    migrated === undefined ? [] : [dump(migrated.policy, { lineWidth: -1, noRefs: true, seqNoIndent: true })]
  try {
    if (settings.write) patched.forEach(writeBack)
    effects.stdout(joinStreams([...(settings.write ? [] : patched.map(textOf)), ...policy]))
    return isWhole ? 0 : 1
  } catch (error) {
    effects.stderr(
      `${NAME}: a manifest cannot be written back: ${messageOf(error)}; leave --write out to print it\n`,
    )
    return 2
  }
}

/** Only what changes is touched; what came on standard input has no place to go back to. */
function writeBack(file: PatchedFile): void {
  const text = textOf(file)
  if (text !== file.file.text && file.file.name !== '-') writeFileSync(file.file.name, text)
}
