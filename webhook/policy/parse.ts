import { SCOPES, type Scope } from '../../contract/keys.ts'
import {
  childOf,
  type Field,
  fieldIn,
  isAbsent,
  readBoolean,
  readList,
  readMap,
  readStrictMap,
  readString,
  refuse,
} from '../../contract/reader.ts'
import { readAdaptive } from './adaptive.ts'
import { boundsOf, checkOrder, defaultsOf, readBlock } from './bounds.ts'
import { isDnsLabel, isDnsSubdomain } from './labels.ts'
import { checkSize, readGlobs, readRegexes } from './pattern.ts'
import type { LimitRule, Policy, Rule } from './policy.ts'
import { readSelector } from './selector.ts'

export const POLICY_API_VERSION = 'policy.iops-limit/v1alpha1'
export const POLICY_KIND = 'IOLimitPolicy'

/** One `IOLimitPolicy` object; undefined, with every problem at its field's path, where anything is wrong. */
export function readPolicy(field: Field): Policy | undefined {
  const before = field.problems.length
  const map = readStrictMap(field, ['apiVersion', 'kind', 'metadata', 'spec', 'status'])
  if (map === undefined) return undefined
  readConstant(childOf(field, map, 'apiVersion'), POLICY_API_VERSION)
  readConstant(childOf(field, map, 'kind'), POLICY_KIND)
  const name = readPolicyName(childOf(field, map, 'metadata'))
  const specField = childOf(field, map, 'spec')
  const spec = readStrictMap(specField, ['rules', 'exemptNamespaces'])
  if (spec === undefined) return undefined
  const rules = readRules(childOf(specField, spec, 'rules'), name ?? '')
  const namespaces = childOf(specField, spec, 'exemptNamespaces')
  const exemptNamespaces = isAbsent(namespaces) ? [] : readGlobs(namespaces)
  checkSize(namespaces, 'namespaces', exemptNamespaces)
  return name === undefined || field.problems.length > before ? undefined : { name, rules, exemptNamespaces }
}

function readConstant(field: Field, expected: string): void {
  if (field.value !== expected) refuse(field, `is not ${expected}`, `write ${expected}`)
}

/** Namespaces name the policy in a label, so its name has to fit in one. */
function readPolicyName(metadataField: Field): string | undefined {
  const metadata = readMap(metadataField)
  if (metadata === undefined) return undefined
  const field = childOf(metadataField, metadata, 'name')
  const name = readString(field)
  if (name === undefined || (isDnsSubdomain(name) && name.length <= 63)) return name
  return refuse(
    field,
    'is not a policy name',
    'write at most 63 lower-case letters, digits, "-" and "."; the ends are letters or digits',
  )
}

function readRules(field: Field, policy: string): readonly Rule[] {
  const items = readList(field) ?? []
  if (Array.isArray(field.value) && items.length === 0) refuse(field, 'is empty', 'write at least one rule')
  const names = new Set<string>()
  return items.flatMap((item) => {
    const rule = readRule(item, policy)
    if (rule === undefined) return []
    // A name that could not be read has been told of already.
    if (rule.name !== '' && names.has(rule.name))
      refuse(
        fieldIn(item, 'name', rule.name),
        'is the name of an earlier rule',
        'give each rule its own name',
      )
    names.add(rule.name)
    return [rule]
  })
}

const EXEMPT_FIELDS = ['name', 'selector', 'exempt']
const LIMIT_FIELDS = [...EXEMPT_FIELDS, 'exemptContainers', 'default', 'max', 'min', 'scope', 'adaptive']

function readRule(field: Field, policy: string): Rule | undefined {
  const map = readStrictMap(field, LIMIT_FIELDS)
  if (map === undefined) return undefined
  const at = (key: string): Field => childOf(field, map, key)
  const name = readRuleName(at('name')) ?? ''
  const selector = isAbsent(at('selector')) ? [] : readSelector(at('selector'))
  const base = { name, mark: `${policy}/${name}`, selector }
  const exempt = isAbsent(at('exempt')) ? false : readBoolean(at('exempt'))
  if (exempt !== true) return { ...base, exempt: false, ...readLimits(at) }
  for (const key of Object.keys(map)) {
    if (!EXEMPT_FIELDS.includes(key))
      refuse(at(key), 'has no effect in a rule with exempt: true', 'remove it, or remove exempt')
  }
  return { ...base, exempt }
}

function readRuleName(field: Field): string | undefined {
  const name = readString(field)
  if (name === undefined || isDnsLabel(name)) return name
  return refuse(
    field,
    'is not a rule name',
    'write at most 63 lower-case letters, digits and "-"; the ends are letters or digits',
  )
}

function readLimits(at: (key: string) => Field): Omit<LimitRule, 'name' | 'mark' | 'selector' | 'exempt'> {
  const [defaults, max, min] = [readBlock(at('default')), readBlock(at('max')), readBlock(at('min'))]
  checkOrder({ defaults, max, min })
  const scope = readScope(at('scope'))
  const adaptive = readAdaptive(at('adaptive'), { max, min })
  return {
    ...readExemptContainers(at('exemptContainers')),
    defaults: defaultsOf(boundsOf(defaults), boundsOf(max)),
    max: boundsOf(max),
    min: boundsOf(min),
    ...(scope !== undefined && { scope }),
    ...(adaptive !== undefined && { adaptive }),
  }
}

function readExemptContainers(field: Field): Pick<LimitRule, 'exemptNames' | 'exemptImages'> {
  const map = isAbsent(field)
    ? {}
    : (readStrictMap(field, ['names', 'images', 'nameRegexes', 'imageRegexes']) ?? {})
  const at = (key: string): Field => childOf(field, map, key)
  const globs = (key: string) => (isAbsent(at(key)) ? [] : readGlobs(at(key)))
  const regexes = (key: string) => (isAbsent(at(key)) ? [] : readRegexes(at(key)))
  const exemptNames = [...globs('names'), ...regexes('nameRegexes')]
  const exemptImages = [...globs('images'), ...regexes('imageRegexes')]
  checkSize(field, 'names', exemptNames)
  checkSize(field, 'images', exemptImages)
  return { exemptNames, exemptImages }
}

function readScope(field: Field): Scope | undefined {
  const scope = SCOPES.find((known) => known === field.value)
  return isAbsent(field) || scope !== undefined
    ? scope
    : refuse(field, 'is not a scope', 'write pod or container')
}
