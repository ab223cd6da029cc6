/** Settings and the files that they name, or everything that is wrong with either. */
import { formatProblem, type Problem } from '../../contract/problem.ts'
import { type Given, readSettings } from '../../settings/settings.ts'
import { loadNamespaces, loadPolicies } from '../policy/load.ts'
import type { Namespaces, PolicySet } from '../policy/policy.ts'
import { type Followed, openFiles } from './follow.ts'
import { type FILE_OPTIONS, OPTIONS, type Settings } from './settings.ts'
import { readFiles, readFilesOrDirectories } from './sources.ts'
import { parseTlsPair, type TlsPair } from './tls.ts'

export interface Configuration {
  readonly settings: Settings
  readonly tls: Followed<TlsPair>
  readonly policies: Followed<PolicySet>
  readonly namespaces: Followed<Namespaces>
}

export type OpenedConfiguration =
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'help' }
  | { readonly kind: 'problems'; readonly problems: readonly string[] }

/** The files are read even where other settings are wrong, so that one go tells everything. */
export async function openConfiguration(given: Given): Promise<OpenedConfiguration> {
  const read = readSettings(OPTIONS, given)
  if (read.kind === 'help') return read
  const isRead = read.kind === 'settings'
  const opened = await openNamedFiles(isRead ? read.settings : read.partial)
  const problems = [
    ...(isRead ? findConflicts(read.settings) : read.problems),
    ...opened.problems.map(formatProblem),
  ]
  const { tls, policies, namespaces } = opened
  if (!isRead || problems.length > 0 || !tls || !policies || !namespaces)
    return { kind: 'problems', problems }
  return { kind: 'configuration', configuration: { settings: read.settings, tls, policies, namespaces } }
}

function findConflicts({ maxBodyBytes, maxBufferedBytes, port, metricsPort }: Settings): readonly string[] {
  const problems: string[] = []
  if (maxBufferedBytes < maxBodyBytes)
    problems.push(
      `--max-buffered-bytes ${maxBufferedBytes} is less than --max-body-bytes ${maxBodyBytes}: raise it`,
    )
  if (port === metricsPort && port !== 0)
    problems.push(`--port and --metrics-port are both ${port}: give them different ones`)
  return problems
}

type Paths = Partial<Pick<Settings, keyof typeof FILE_OPTIONS>>

type Opened = Partial<Omit<Configuration, 'settings'>> & { readonly problems: readonly Problem[] }

async function openNamedFiles(paths: Paths): Promise<Opened> {
  const { policyFiles, namespacesFiles } = paths
  const pair = [paths.tlsCert, paths.tlsKey].filter((path) => path !== undefined)
  const [tls, policies, namespaces] = await Promise.all([
    openFiles({ read: () => readFiles(pair), parse: parseTlsPair }),
    policyFiles && openFiles({ read: () => readFilesOrDirectories(policyFiles), parse: loadPolicies }),
    namespacesFiles &&
      openFiles({ read: () => readFilesOrDirectories(namespacesFiles), parse: loadNamespaces }),
  ])
  return {
    problems: [tls, policies, namespaces].flatMap((opened) =>
      opened === undefined || opened.ok ? [] : opened.problems,
    ),
    ...(tls.ok && { tls: tls.value }),
    ...(policies?.ok && { policies: policies.value }),
    ...(namespaces?.ok && { namespaces: namespaces.value }),
  }
}
