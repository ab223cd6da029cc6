/** Settings and what they name, files and cluster, or everything that is wrong with either. */
import { formatProblem, messageOf, type Problem } from '../../contract/problem.ts'
import type { Connection } from '../../kube/client.ts'
import { findServiceAccount } from '../../kube/serviceAccount.ts'
import type { Option } from '../../settings/option.ts'
import { describeMissing, type Given, readSettings } from '../../settings/settings.ts'
import { loadNamespaces, loadPolicies } from '../policy/load.ts'
import type { Namespaces, PolicySet } from '../policy/policy.ts'
import { type Followed, openFiles } from './follow.ts'
import { parseServiceNames } from './serviceNames.ts'
import { type FILE_OPTIONS, OPTIONS, type Settings } from './settings.ts'
import { readFiles, readFilesOrDirectories } from './sources.ts'
import { parseAuthority, parseTlsPair, type TlsPair } from './tls.ts'

export interface Configuration extends Files {
  readonly settings: Settings
  /** To the cluster that gives what no file does; undefined where files give all. */
  readonly connection?: Connection
}

/** What comes from files. */
export interface Files {
  readonly tls?: Followed<TlsPair>
  readonly policies?: Followed<PolicySet>
  readonly namespaces?: Followed<Namespaces>
  /** PEM; read once. */
  readonly clientCa?: Followed<string>
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
  const settings = isRead ? read.settings : read.partial
  const { problems: unreadable, ...files } = await openNamedFiles(settings)
  const cluster = await openCluster(settings, given.env)
  const problems = [
    ...findMissing(settings, cluster.isThere),
    ...(isRead ? [] : read.problems),
    ...findConflicts(settings),
    ...unreadable.map(formatProblem),
    ...cluster.problems,
  ]
  if (!isRead || problems.length > 0) return { kind: 'problems', problems }
  const { connection } = cluster
  return {
    kind: 'configuration',
    configuration: { settings: read.settings, ...files, ...(connection && { connection }) },
  }
}

type Partly = Partial<Settings>

const isNotGiven = (settings: Partly, name: keyof Settings): boolean =>
  name in settings && settings[name] === undefined

/** What has to be given although it need not always be. */
function findMissing(settings: Partly, isInCluster: boolean): readonly string[] {
  const isAbsent = (name: keyof Settings): boolean => isNotGiven(settings, name)
  const isHalf = isAbsent('tlsCert') !== isAbsent('tlsKey')
  const required: readonly (keyof Settings)[] = isInCluster
    ? [
        ...(isHalf ? (['tlsCert', 'tlsKey'] as const) : []),
        ...(needsNamespace(settings) ? (['webhookNamespace'] as const) : []),
        ...(settings.advisor === true ? (['self'] as const) : []),
      ]
    : ['policyFiles', 'namespacesFiles', 'tlsCert', 'tlsKey']
  return required.filter(isAbsent).map((name) => describeMissing(OPTIONS[name] satisfies Option<unknown>))
}

const needsNamespace = (settings: Partly): boolean =>
  isNotGiven(settings, 'tlsCert') ||
  settings.advisor === true ||
  (isNotGiven(settings, 'namespacesFiles') && settings.backfill === true)

/** Of those that could be read. */
function findConflicts(settings: Partly): readonly string[] {
  const { maxBodyBytes, maxBufferedBytes, port, metricsPort } = settings
  const problems: string[] = [...findLifetimeConflicts(settings), ...findNameProblems(settings)]
  if (settings.clientNames !== undefined && isNotGiven(settings, 'clientCa'))
    problems.push('--client-names means nothing without --client-ca: give both')
  if (settings.advisor === true && settings.namespacesFiles !== undefined)
    problems.push('--advisor needs the cluster that its pods are in: leave --namespaces-file out')
  if (maxBufferedBytes !== undefined && maxBodyBytes !== undefined && maxBufferedBytes < maxBodyBytes)
    problems.push(
      `--max-buffered-bytes ${maxBufferedBytes} is less than --max-body-bytes ${maxBodyBytes}: raise it`,
    )
  if (port === metricsPort && port !== undefined && port !== 0)
    problems.push(`--port and --metrics-port are both ${port}: give them different ones`)
  return problems
}

/** An authority has its last third for being followed by another, and outlives what it signs. */
function findLifetimeConflicts({ certificateLifetime, caLifetime, caOverlap }: Partly): readonly string[] {
  const problems: string[] = []
  if (certificateLifetime !== undefined && caLifetime !== undefined && certificateLifetime > caLifetime / 3)
    problems.push('--certificate-lifetime is more than a third of --ca-lifetime: lower it')
  if (caOverlap !== undefined && caLifetime !== undefined && caOverlap > caLifetime / 6)
    problems.push('--ca-overlap is more than a sixth of --ca-lifetime: lower it')
  return problems
}

/** Of the names that a certificate which looks after itself is made for. */
function findNameProblems(settings: Partly): readonly string[] {
  const { serviceName, webhookNamespace } = settings
  if (!isNotGiven(settings, 'tlsCert') || serviceName === undefined || webhookNamespace === undefined)
    return []
  const parsed = parseServiceNames(serviceName, webhookNamespace)
  return parsed.ok
    ? []
    : parsed.problems
        .slice(0, 1)
        .map(
          ({ reason, cure }) => `--service-name ${serviceName}, in ${webhookNamespace}: ${reason}; ${cure}`,
        )
}

interface OpenedCluster {
  readonly isThere: boolean
  readonly connection?: Connection
  readonly problems: readonly string[]
}

/** Opened only where it is needed: with every file given the program runs anywhere. */
async function openCluster(settings: Partly, env: Given['env']): Promise<OpenedCluster> {
  const own = findServiceAccount(env)
  const { kubeconfig } = settings
  const isThere = kubeconfig !== undefined || own !== undefined
  const isNeeded = (['policyFiles', 'namespacesFiles', 'tlsCert'] as const).some((name) =>
    isNotGiven(settings, name),
  )
  if (!isThere || !isNeeded) return { isThere, problems: [] }
  if (kubeconfig === undefined) return { isThere, problems: [], ...(own && { connection: own }) }
  try {
    // Inside a pod nothing needs it, and it is dear: half of the program's code.
    const { openKubeconfig } = await import('../../kube/kubeconfig.ts')
    return { isThere, problems: [], connection: openKubeconfig(kubeconfig) }
  } catch (error) {
    const problem = `--kubeconfig ${kubeconfig} cannot be used: ${messageOf(error)}; name one with a current context`
    return { isThere, problems: [problem] }
  }
}

type Paths = Partial<Pick<Settings, keyof typeof FILE_OPTIONS | 'clientCa'>>

async function openNamedFiles(paths: Paths): Promise<Files & { readonly problems: readonly Problem[] }> {
  const { policyFiles, namespacesFiles, clientCa: authority } = paths
  const pair = [paths.tlsCert, paths.tlsKey].filter((path) => path !== undefined)
  const [tls, policies, namespaces, clientCa] = await Promise.all([
    pair.length > 0 ? openFiles({ read: () => readFiles(pair), parse: parseTlsPair }) : undefined,
    policyFiles && openFiles({ read: () => readFilesOrDirectories(policyFiles), parse: loadPolicies }),
    namespacesFiles &&
      openFiles({ read: () => readFilesOrDirectories(namespacesFiles), parse: loadNamespaces }),
    authority === undefined
      ? undefined
      : openFiles({ read: () => readFiles([authority]), parse: parseAuthority }),
  ])
  return {
    problems: [tls, policies, namespaces, clientCa].flatMap((opened) =>
      opened === undefined || opened.ok ? [] : opened.problems,
    ),
    ...(tls?.ok && { tls: tls.value }),
    ...(policies?.ok && { policies: policies.value }),
    ...(namespaces?.ok && { namespaces: namespaces.value }),
    ...(clientCa?.ok && { clientCa: clientCa.value }),
  }
}
