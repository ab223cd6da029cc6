/** Golden cases: manifests, what they are judged by, and the verdicts that are expected. */

import { bad, ok, type Result } from '../../../contract/problem.ts'
import {
  childOf,
  type Field,
  isAbsent,
  readList,
  readStrictMap,
  readString,
  readStringMap,
  readStrings,
  refuse,
  rootField,
} from '../../../contract/reader.ts'
import type { Fields } from '../manifest/objects.ts'
import { type ExtraTemplate, parseExtraTemplate } from '../manifest/sites.ts'

export const CASE_API_VERSION = 'test.iops-limit/v1'
export const CASE_KIND = 'ReviewTest'

export interface GoldenCase {
  readonly name: string
  /** Paths, from the case's own folder. */
  readonly policies: readonly string[]
  readonly namespaces: readonly string[]
  readonly resources: readonly string[]
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined
  readonly namespace: string | undefined
  readonly podTemplatePaths: readonly ExtraTemplate[]
  readonly expect: readonly Expectation[]
}

/** Of one workload: `kind`, `namespace` and `name` say which; every other field has to be just so. */
export type Expectation = Fields

export const isCase = ({ apiVersion, kind }: Fields): boolean =>
  apiVersion === CASE_API_VERSION && kind === CASE_KIND

const SPEC = [
  'policies',
  'namespaces',
  'namespaceLabels',
  'namespace',
  'podTemplatePaths',
  'resources',
  'expect',
]
const EXPECT = [
  'kind',
  'namespace',
  'name',
  'verdict',
  'policy',
  'rule',
  'reason',
  'defaulted',
  'violations',
  'warnings',
  'limits',
]

export function readCase(value: Fields): Result<GoldenCase> {
  const root = rootField(value, '')
  const map = readStrictMap(root, ['apiVersion', 'kind', 'metadata', 'spec']) ?? {}
  const metadataField = childOf(root, map, 'metadata')
  const metadata = readStrictMap(metadataField, ['name']) ?? {}
  const specField = childOf(root, map, 'spec')
  const spec = readStrictMap(specField, SPEC) ?? {}
  const at = (key: string): Field => childOf(specField, spec, key)
  const read: GoldenCase = {
    name: readString(childOf(metadataField, metadata, 'name')) ?? '',
    policies: readPaths(at('policies')),
    namespaces: readPaths(at('namespaces')),
    resources: readPaths(at('resources')),
    namespaceLabels: isAbsent(at('namespaceLabels')) ? undefined : readStringMap(at('namespaceLabels')),
    namespace: isAbsent(at('namespace')) ? undefined : readString(at('namespace')),
    podTemplatePaths: readTemplates(at('podTemplatePaths')),
    expect: readExpectations(at('expect')),
  }
  if (isAbsent(at('resources'))) refuse(at('resources'), 'is missing', 'name the manifests of the case')
  return root.problems.length > 0 ? bad(...root.problems) : ok(read)
}

const readExpectations = (field: Field): readonly Expectation[] =>
  isAbsent(field)
    ? []
    : (readList(field) ?? []).map((item) => readStrictMap(item, EXPECT)).filter((item) => item !== undefined)

const readPaths = (field: Field): readonly string[] => (isAbsent(field) ? [] : readStrings(field))

const readTemplates = (field: Field): readonly ExtraTemplate[] =>
  readPaths(field).flatMap((text) => {
    const template = parseExtraTemplate(text)
    if (template === undefined) refuse(field, 'is not a list of paths', 'write such as Rollout=spec.template')
    return template ?? []
  })
