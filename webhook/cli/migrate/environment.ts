/** The older service's environment (its pkg/config/config.go) as a policy that does the same. */
import { limitKey } from '../../../contract/keys.ts'
import { UNLIMITED } from '../../../contract/limits.ts'
import { formatProblem, quoteValue } from '../../../contract/problem.ts'
import { parseBytesPerSecond, parseIops } from '../../../contract/values.ts'
import { POLICY_API_VERSION, POLICY_KIND } from '../../policy/parse.ts'
import { parseSelectorText } from '../../policy/selectorText.ts'
import type { Fields } from '../manifest/objects.ts'

export type Environment = Readonly<Record<string, string>>

export interface MigratedPolicy {
  /** An IOLimitPolicy object. */
  readonly policy: Fields
  /** Namespaces that it does not reach. */
  readonly excluded: readonly string[]
  readonly remarks: readonly string[]
}

/** Variables that make an environment the older service's: one of them is enough. */
export const VARIABLES = [
  'CONTAINER_READ_IOPS_LIMIT',
  'CONTAINER_WRITE_IOPS_LIMIT',
  'CONTAINER_READ_BPS_LIMIT',
  'CONTAINER_WRITE_BPS_LIMIT',
  'CONTAINER_IOPS_LIMIT',
  'EXCLUDE_KEYWORDS',
  'EXCLUDE_NAMESPACES',
  'EXCLUDE_LABEL_SELECTOR',
] as const

const DEFAULT_KEYWORDS = 'pause,istio-proxy,psmdb,kube-system,koordinator,apisix'
const DEFAULT_NAMESPACES = 'kube-system'

export function migrateEnvironment(env: Environment, name: string): MigratedPolicy {
  const remarks: string[] = []
  const keywords = findKeywords(env, remarks)
  const excluded = findNamespaces(env, remarks)
  const rules = [...excludeByLabels(env, remarks), limitRule(env, keywords, remarks)]
  remarks.push(...findDifferences(env))
  return {
    policy: {
      apiVersion: POLICY_API_VERSION,
      kind: POLICY_KIND,
      metadata: { name },
      spec: { ...(excluded.length > 0 && { exemptNamespaces: excluded }), rules },
    },
    excluded,
    remarks,
  }
}

/** An empty variable counts as none, as it did there. */
function read(env: Environment, name: string, fallback: string, remarks: string[]): string {
  const given = env[name] ?? ''
  if (given === '') remarks.push(`${name} is not set: the older service's own default counts, ${fallback}`)
  return given === '' ? fallback : given
}

/** There the text was cut at its commas and no more; where that came to nothing, the policy does what was meant. */
function splitWords(text: string, name: string, remarks: string[]): readonly string[] {
  const words = text.split(',')
  for (const word of words.filter((each) => each.trim() !== each && each.trim() !== ''))
    remarks.push(
      `${name}: the older service looked for ${quoteValue(word)}, space and all; the policy excludes ${quoteValue(word.trim())}`,
    )
  if (words.some((word) => word.trim() === ''))
    remarks.push(`${name}: the older service took its empty words at their word; the policy leaves them out`)
  return words.map((word) => word.trim()).filter((word) => word !== '')
}

function findKeywords(env: Environment, remarks: string[]): readonly string[] {
  const name = 'EXCLUDE_KEYWORDS'
  return splitWords(read(env, name, DEFAULT_KEYWORDS, remarks), name, remarks)
}

/** A namespace is a DNS label (RFC 1123): what is none excluded nothing there, and would be a pattern here. */
function findNamespaces(env: Environment, remarks: string[]): readonly string[] {
  const name = 'EXCLUDE_NAMESPACES'
  const words = splitWords(read(env, name, DEFAULT_NAMESPACES, remarks), name, remarks)
  const isName = (word: string): boolean => /^[a-z\d](?:[a-z\d-]*[a-z\d])?$/.test(word)
  for (const word of words.filter((each) => !isName(each)))
    remarks.push(
      `${name}: no namespace can be called ${quoteValue(word)}: it excluded none, and the policy leaves it out`,
    )
  return words.filter(isName)
}

/** A selector that could not be read was passed over there, without a word. */
function excludeByLabels(env: Environment, remarks: string[]): readonly Fields[] {
  const selector = env['EXCLUDE_LABEL_SELECTOR'] ?? ''
  if (selector === '') return []
  const parsed = parseSelectorText(selector)
  if (typeof parsed !== 'string') return [{ name: 'excluded', selector, exempt: true }]
  remarks.push(
    `EXCLUDE_LABEL_SELECTOR ${quoteValue(selector)} is no selector (${parsed}): the older service passed over it, and so does the policy`,
  )
  return []
}

const LIMITS = [
  ['CONTAINER_READ_IOPS_LIMIT', 'readIOPS', 500],
  ['CONTAINER_WRITE_IOPS_LIMIT', 'writeIOPS', 500],
  ['CONTAINER_READ_BPS_LIMIT', 'readBPS', 0],
  ['CONTAINER_WRITE_BPS_LIMIT', 'writeBPS', 0],
] as const

function limitRule(env: Environment, keywords: readonly string[], remarks: string[]): Fields {
  const defaults = LIMITS.flatMap(([variable, field, usual]) => {
    const value = readLimit(env, variable, usual, remarks)
    return value === undefined ? [] : [[field, value] as const]
  })
  return {
    name: 'containers',
    ...(keywords.length > 0 && { exemptContainers: excludeByWords(keywords) }),
    ...(defaults.length > 0 && { default: Object.fromEntries(defaults) }),
    scope: 'container',
  }
}

/** A word excluded every container whose name or image held it. */
function excludeByWords(keywords: readonly string[]): Fields {
  const plain = keywords.filter((word) => /^[\w.:/@-]+$/.test(word))
  const other = keywords.filter((word) => !plain.includes(word)).map((word) => `.*${quoteRegex(word)}.*`)
  const globs = plain.map((word) => `*${word}*`)
  return {
    ...(globs.length > 0 && { names: globs, images: globs }),
    ...(other.length > 0 && { nameRegexes: other, imageRegexes: other }),
  }
}

const quoteRegex = (text: string): string => text.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&')

/** Undefined where there was no limit. What Go could not read as a number gave way to the default. */
function readLimit(
  env: Environment,
  variable: string,
  usual: number,
  remarks: string[],
): number | string | undefined {
  const given = env[variable] ?? ''
  const isNumber = isInt64(given)
  if (given !== '' && !isNumber)
    remarks.push(
      `${variable} ${quoteValue(given)} is not a number: the older service took its default, ${usual}`,
    )
  const text = isNumber ? BigInt(given).toString() : String(usual)
  if (text === '0') return undefined
  const parsed = variable.includes('IOPS') ? parseIops(text, variable) : parseBytesPerSecond(text, variable)
  if (!parsed.ok) {
    remarks.push(`${parsed.problems.map(formatProblem).join('; ')}: the policy sets no default there`)
    return undefined
  }
  if (parsed.value === UNLIMITED) return undefined
  return Number.isSafeInteger(Number(text)) ? Number(text) : text
}

/** As Go's `strconv.Atoi` on a 64-bit machine. */
const isInt64 = (text: string): boolean =>
  /^[-+]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)

/** As Go's `strconv.ParseBool`. */
const isTrue = (text: string | undefined): boolean => /^(?:1|t|T|true|TRUE|True)$/.test(text ?? '')

function findDifferences(env: Environment): readonly string[] {
  const isSet = (name: string): boolean => (env[name] ?? '') !== ''
  const smart = Object.keys(env).filter(
    (name) => name.startsWith('SMART_LIMIT_') && name !== 'SMART_LIMIT_ENABLED',
  )
  const node = ['DATA_MOUNT', 'CGROUP_VERSION', 'NODE_NAME'].filter(isSet)
  return [
    ...(isSet('CONTAINER_IOPS_LIMIT')
      ? ['CONTAINER_IOPS_LIMIT was parsed and never used: the policy leaves it out']
      : []),
    ...(isTrue(env['SMART_LIMIT_ENABLED'])
      ? ['SMART_LIMIT_ENABLED: limits by measured load have no counterpart: the policy limits always']
      : ['SMART_LIMIT_ENABLED is not true, so the older service limited nothing: the policy does']),
    ...(smart.length > 0 ? [`no counterpart: ${smart.sort().join(', ')}`] : []),
    ...node.map((name) => `${name}=${env[name]} goes to the enforcer, which has a variable of that name`),
    `a pod without one of the limits gets the default on itself, as ${limitKey('read-iops')} and its kin, when it is made or changed`,
    'init containers are limited too: the older service never looked at them',
    'pods that run already get theirs by the back-fill, or when they are made anew',
  ]
}
