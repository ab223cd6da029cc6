import { list, type Option, oneOf, optionalText, toggle } from '../../../settings/option.ts'
import type { SettingsOf } from '../../../settings/settings.ts'
import { isLabelKey, isLabelValue } from '../../policy/labels.ts'
import { CLUSTER_OPTIONS } from '../clusterOptions.ts'
import { type ExtraTemplate, parseExtraTemplate } from '../manifest/sites.ts'

export const NAME = 'iops-limit review'

export const OUTPUTS = ['text', 'json', 'junit', 'sarif', 'github'] as const

/** What is to be judged, and by what: the same for every command that judges manifests. */
export const WORLD_OPTIONS = {
  policies: list({
    flag: 'policies',
    placeholder: 'PATH[,PATH...]',
    help: 'policies (IOLimitPolicy objects), YAML or JSON; a directory stands for the files below it',
    default: [],
  }),
  namespaces: list({
    flag: 'namespaces',
    placeholder: 'FILE[,FILE...]',
    help: 'Namespace objects or a list of them, as "kubectl get namespaces -o yaml" prints',
    default: [],
  }),
  namespaceLabels: labels({
    flag: 'namespace-labels',
    help: 'labels of every namespace that nothing else tells of, such as iops-limit/enforce=gold',
  }),
  namespace: optionalText({
    flag: 'namespace',
    short: 'n',
    placeholder: 'NAME',
    help: 'where objects go that name no namespace; "default" otherwise, and that is said',
  }),
  exemptNamespaces: list({
    flag: 'exempt-namespaces',
    placeholder: 'NAME[,NAME...]',
    help: 'namespaces that no policy reaches, whatever their labels say',
    default: ['kube-system', 'kube-public', 'kube-node-lease'],
  }),
  unknownNamespace: oneOf(['error', 'allow'], {
    flag: 'unknown-namespace',
    help: 'what a pod gets in a namespace that nothing tells of',
    default: 'error',
  }),
  podTemplatePaths: templatePaths({
    flag: 'pod-template-path',
    help: 'where other kinds hold their pods: spec.template, Rollout=spec.template, Job.batch.volcano.sh=spec.tasks[*].template',
  }),
}

const SERVER_OPTIONS = {
  fromCluster: toggle({
    flag: 'from-cluster',
    help: 'policies and namespaces as they are in a cluster now; nothing is written there',
  }),
  ...CLUSTER_OPTIONS,
  server: optionalText({
    flag: 'server',
    placeholder: 'URL',
    help: 'a live webhook: it is asked the same, as dry runs, and has to answer the same',
  }),
  serverCa: optionalText({
    flag: 'server-ca',
    placeholder: 'FILE',
    help: 'who signed the certificate of --server, PEM',
  }),
}

export const OUTPUT_OPTIONS = {
  output: oneOf(OUTPUTS, { flag: 'output', short: 'o', help: 'form of the report', default: 'text' }),
  failOn: failOn({
    flag: 'fail-on',
    help: 'also exit 1 where a pod is let through with warnings (warn), or was given defaults (default)',
  }),
  allowEmpty: toggle({
    flag: 'allow-empty',
    help: 'exit 0 also where nothing was evaluated: no pod, or no namespace that opted in',
  }),
  quiet: toggle({ flag: 'quiet', short: 'q', help: 'tell only what makes the exit code other than 0' }),
  verbose: toggle({
    flag: 'verbose',
    short: 'v',
    help: 'tell also of pods that no policy reaches, and audit annotations',
  }),
  color: oneOf(['auto', 'always', 'never'], {
    flag: 'color',
    help: 'colours; auto: on a terminal, unless NO_COLOR is set',
    default: 'auto',
  }),
}

export const OPTIONS = {
  ...WORLD_OPTIONS,
  ...SERVER_OPTIONS,
  ...OUTPUT_OPTIONS,
  diff: toggle({
    flag: 'diff',
    help: 'print what admission would change, as a unified diff; the report goes to standard error',
  }),
  patched: toggle({
    flag: 'patched',
    help: 'print the manifests as admission would store them; the report goes to standard error',
  }),
}

export type WorldSettings = SettingsOf<typeof WORLD_OPTIONS>
export type Settings = SettingsOf<typeof OPTIONS>

export const INTRO = `Usage: ${NAME} [OPTION...] FILE|DIRECTORY|GLOB|- ...

Tells what admission would do with the pods of these manifests, by the webhook's own engine; - is standard input.
Policies and namespaces in the manifests count, before those of --policies and --namespaces.
Exit code: 0 allowed, 1 refused (see --fail-on), 2 could not run, 3 nothing was evaluated (see --allow-empty).`

type Described = { readonly flag: string; readonly help: string }

function labels(described: Described): Option<Readonly<Record<string, string>> | undefined> {
  return {
    ...described,
    placeholder: 'KEY=VALUE[,KEY=VALUE...]',
    parse: (texts) => {
      const pairs = texts.flatMap((text) => text.split(',')).map((part) => part.trim())
      const entries = pairs.map(
        (pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const,
      )
      const fits =
        pairs.every((pair) => pair.includes('=')) &&
        entries.every(([key, value]) => isLabelKey(key) && isLabelValue(value))
      return fits
        ? { value: Object.fromEntries(entries) }
        : 'is not KEY=VALUE, such as iops-limit/enforce=gold'
    },
    fallback: { value: undefined, shown: '' },
  }
}

function templatePaths(described: Described): Option<readonly ExtraTemplate[]> {
  return {
    ...described,
    placeholder: '[KIND[.GROUP]=]PATH',
    parse: (texts) => {
      const parsed = texts.flatMap((text) => text.split(',')).map(parseExtraTemplate)
      const paths = parsed.filter((template) => template !== undefined)
      return paths.length === parsed.length
        ? { value: paths }
        : 'is not a path such as spec.template or Rollout.argoproj.io=spec.template'
    },
    fallback: { value: [], shown: '' },
  }
}

const LEVELS = ['warn', 'default'] as const

function failOn(described: Described): Option<readonly (typeof LEVELS)[number][]> {
  return {
    ...described,
    placeholder: 'warn|default[,...]',
    parse: (texts) => {
      const given = texts.flatMap((text) => text.split(',')).map((part) => part.trim())
      const levels = LEVELS.filter((level) => given.includes(level))
      return given.every((part) => LEVELS.some((level) => level === part))
        ? { value: levels }
        : `is not one of ${LEVELS.join(', ')}`
    },
    fallback: { value: [], shown: '' },
  }
}
