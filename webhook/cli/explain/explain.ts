/** `iops-limit explain`: why a running pod's limits are what they are. */
import { readFileSync } from 'node:fs'
import { messageOf } from '../../../contract/problem.ts'
import { list, oneOf, optionalText, text } from '../../../settings/option.ts'
import { formatHelp, readSettings, type SettingsOf } from '../../../settings/settings.ts'
import { CLUSTER_OPTIONS } from '../clusterOptions.ts'
import { type CliEffects, type Command, type Environment, formatCallProblems } from '../command.ts'
import { formatStory, type Story } from './story.ts'

const NAME = 'iops-limit explain'

export const OPTIONS = {
  namespace: text({
    flag: 'namespace',
    short: 'n',
    placeholder: 'NAME',
    help: "the pod's namespace",
    default: 'default',
  }),
  ...CLUSTER_OPTIONS,
  exemptNamespaces: list({
    flag: 'exempt-namespaces',
    placeholder: 'NAME[,NAME...]',
    help: 'namespaces that no policy reaches, as the webhook is told',
    default: ['kube-system', 'kube-public', 'kube-node-lease'],
  }),
  enforcerToken: optionalText({
    flag: 'enforcer-token',
    placeholder: 'FILE',
    help: 'holds a bearer token for the enforcer, as "kubectl create token" prints it; see docs/usage.md',
  }),
  output: oneOf(['text', 'json'], {
    flag: 'output',
    short: 'o',
    help: 'form of the answer',
    default: 'text',
  }),
}

export const INTRO = `Usage: ${NAME} [-n NAMESPACE] POD [OPTION...]

Tells which policy and rule decided, what the pod's author asked for, what was filled in, the limits that hold for each
container, and, from the enforcer of its node, those in force on each disk. Nothing is written in the cluster.
Exit code: 0 told, 2 could not be told.`

export const explain: Command = { options: OPTIONS, run: runExplain }

type Settings = SettingsOf<typeof OPTIONS>

async function runExplain(argv: readonly string[], env: Environment, effects: CliEffects): Promise<number> {
  const read = readSettings(OPTIONS, { argv, env }, 1)
  if (read.kind === 'help') {
    effects.stdout(formatHelp(INTRO, OPTIONS))
    return 0
  }
  const pod = read.kind === 'settings' ? read.operands[0]?.replace(/^pods?\//, '') : undefined
  if (read.kind === 'problems' || pod === undefined) {
    const problems = read.kind === 'problems' ? read.problems : ['no pod was named']
    effects.stderr(formatCallProblems(NAME, problems))
    return 2
  }
  try {
    const story = await ask(pod, read.settings)
    effects.stdout(
      read.settings.output === 'json' ? `${JSON.stringify(story, null, 2)}\n` : formatStory(story),
    )
    return 0
  } catch (error) {
    effects.stderr(`${NAME}: pod ${read.settings.namespace}/${pod}: ${messageOf(error)}\n`)
    return 2
  }
}

async function ask(pod: string, settings: Settings): Promise<Story> {
  const [{ openCluster }, { askCluster }] = await Promise.all([import('../cluster.ts'), import('./ask.ts')])
  const { enforcerToken } = settings
  const api = openCluster(settings)
  const enforcer =
    enforcerToken === undefined
      ? api
      : openCluster(settings, { [TOKEN_HEADER]: readFileSync(enforcerToken, 'utf8').trim() })
  return await askCluster({ api, enforcer }, { ...settings, pod })
}

/** An API server that passes a request on keeps its `Authorization` to itself. */
const TOKEN_HEADER = 'X-Iops-Limit-Token'
