/** Manifests, and what they are judged by, to a report. */
import { messageOf } from '../../../contract/problem.ts'
import type { CliEffects } from '../command.ts'
import { type Fault, type ManifestObject, readObjects, type SourceFile } from '../manifest/objects.ts'
import { type ExtraTemplate, findSites, type PodSite } from '../manifest/sites.ts'
import { type OnFile, readInputs } from './inputs.ts'
import { isReview, judge, NOT_A_POD } from './judge.ts'
import type { WorldSettings } from './options.ts'
import type { Report } from './report.ts'
import { readWorld, type WorldSources } from './world.ts'

export interface Findings extends Omit<Report, 'exitCode'> {
  readonly files: readonly SourceFile[]
}

export interface Gathering {
  readonly operands: readonly string[]
  readonly settings: WorldSettings
  readonly effects: Pick<CliEffects, 'readStdin'>
  readonly cluster?: WorldSources['cluster']
  readonly onFile?: OnFile
}

export async function gather({ operands, settings, effects, cluster, onFile }: Gathering): Promise<Findings> {
  const input = await readFiles(operands, effects, onFile)
  const policies = await readFiles(settings.policies, effects)
  const namespaces = await readFiles(settings.namespaces, effects)
  const { world, faults } = readWorld(
    {
      input: input.objects,
      policies: policies.objects,
      namespaces: namespaces.objects,
      ...(cluster && { cluster }),
    },
    settings,
  )
  const sites = input.objects.map((object) => findAllSites(object, settings.podTemplatePaths))
  const known = [...input.faults, ...policies.faults, ...namespaces.faults, ...faults]
  const judged = sites.flat().map((site) => judge(site, world, settings))
  const outcomes = judged.filter(({ reason }) => reason !== NOT_A_POD)
  const isBlind = world.policies.size === 0 && outcomes.some(({ verdict }) => verdict !== 'not-opted-in')
  return {
    files: input.files,
    outcomes,
    faults: isBlind && known.length === 0 ? [NO_POLICY] : known,
    others: sites.filter(({ length }) => length === 0).length + judged.length - outcomes.length,
  }
}

const NO_POLICY: Fault = {
  message: 'there is no policy; give some by --policies PATH or --from-cluster, or with the manifests',
}

const findAllSites = (object: ManifestObject, extra: readonly ExtraTemplate[]): readonly PodSite[] =>
  isReview(object.value) ? [{ object, path: [] }] : findSites(object, extra)

interface ReadFiles {
  readonly files: readonly SourceFile[]
  readonly objects: readonly ManifestObject[]
  readonly faults: readonly Fault[]
}

async function readFiles(
  operands: readonly string[],
  { readStdin }: Gathering['effects'],
  onFile?: OnFile,
): Promise<ReadFiles> {
  const { files, faults } = await readInputs(operands, readStdin, onFile)
  const read = files.map((file) => readObjects(file))
  return {
    files,
    objects: read.flatMap(({ objects }) => objects),
    faults: [...faults, ...read.flatMap((each) => each.faults)],
  }
}

/** The world failed us: told as a fault, so that every form of the report has it. */
export const faultOf = (error: unknown): Fault => ({ message: messageOf(error) })
