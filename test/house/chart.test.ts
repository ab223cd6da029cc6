/** The chart against the programs that it starts, and against its own documentation. What needs helm is in test/cluster. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ALIAS_KEYS } from '../../contract/aliases.ts'
import {
  AUDIT_LABEL,
  CONTAINER_PREFIX,
  ENFORCE_LABEL,
  isOurKey,
  PREFIX,
  WARN_LABEL,
  WRITER_ONLY_KEYS,
} from '../../contract/keys.ts'
import { childOf, readMap, rootField } from '../../contract/reader.ts'
import { OPTIONS as ENFORCER } from '../../enforcer/settings.ts'
import { WORKLOADS } from '../../webhook/admission/workload.ts'
import { OPTIONS as WEBHOOK } from '../../webhook/server/settings.ts'
import { objectsOf } from '../support/chart/helm.ts'
import { findRights, type Right, readRights } from './chartRights.ts'
import { findDocumentedValues, findLeaves, formatChartValues } from './chartValues.ts'

const CHART = 'charts/iops-limit'
const textOf = (path: string): string => readFileSync(`${CHART}/${path}`, 'utf8')
const VALUES = textOf('values.yaml')
const documented = findDocumentedValues(VALUES)
const isDocumented = (path: string): boolean => documented.some((value) => value.path === path)

describe('values', () => {
  test('the table of the README is as new as values.yaml', async () => {
    const fresh = textOf('README.md').replace(
      /<!-- values -->\n[\s\S]*?<!-- end -->/,
      () => `<!-- values -->\n${formatChartValues(VALUES)}\n<!-- end -->`,
    )
    await expect(fresh).toMatchFileSnapshot(`../../${CHART}/README.md`)
  })

  test('each is documented', () => {
    const leaves = findLeaves(parse(VALUES), isDocumented)
    expect(leaves.length).toBeGreaterThan(50)
    expect(leaves.filter((path) => !isDocumented(path))).toEqual([])
  })

  test('each is in the schema, and nothing else is', () => {
    const leaves = findLeaves(parse(VALUES), isDocumented)
    const known = findSchemaLeaves(JSON.parse(textOf('values.schema.json')), isDocumented)
    // What helm itself gives to every chart.
    expect(known.filter((path) => path !== 'global').toSorted()).toEqual(leaves.toSorted())
  })

  test('the schema takes no other key at any place that has keys of its own', () => {
    const open: string[] = []
    visitObjects(JSON.parse(textOf('values.schema.json')), (schema, path) => {
      if (schema['properties'] !== undefined && schema['type'] === 'object')
        if (schema['additionalProperties'] !== false) open.push(path)
    })
    expect(open).toEqual([])
  })

  test('policies among them have the fields that the CRD has', () => {
    const crd = objectsOf(readFileSync('test/fixtures/chart/default.yaml', 'utf8')).find(
      (object) => 'kind' in object && object.kind === 'CustomResourceDefinition',
    )
    const schema: unknown = JSON.parse(textOf('values.schema.json'))
    const isWhole = (path: string): boolean => path === 'selector'
    const known = findSchemaLeaves(schema, isWhole, at(schema, '$defs', 'rule'))
    const [version] = readList(at(crd, 'spec', 'versions'))
    const rules = at(
      version,
      'schema',
      'openAPIV3Schema',
      'properties',
      'spec',
      'properties',
      'rules',
      'items',
    )
    expect(known.length).toBeGreaterThan(20)
    expect(known.toSorted()).toEqual(findSchemaLeaves(rules, isWhole).toSorted())
  })

  test('each is read by a template', () => {
    const templates = readdirSync(`${CHART}/templates`)
      .map((name) => textOf(`templates/${name}`))
      .join('\n')
    const unread = documented.filter(({ path }) => !templates.includes(path.split('.').at(-1) ?? path))
    expect(unread).toEqual([])
  })
})

describe('rights', () => {
  const argued = readRights(readFileSync('docs/rbac.md', 'utf8'))
  const rendered = (name: string): readonly Right[] =>
    findRights(
      objectsOf(
        readFileSync(`test/fixtures/chart/${name}.yaml`, 'utf8').replaceAll('limits-', 'iops-limit-'),
      ),
    )

  test('docs/rbac.md argues each that is granted by default, and no other', () => {
    expect(argued.length).toBeGreaterThan(15)
    expect(argued).toEqual(expect.arrayContaining([...rendered('default')]))
    expect(rendered('default')).toEqual(expect.arrayContaining([...argued]))
  })

  test('hardened values only take rights away', () => {
    const more = rendered('hardened').filter(
      ({ role, resources, verbs }) =>
        !argued.some(
          (right) =>
            right.role === role &&
            right.resources === resources &&
            verbs.every((verb) => right.verbs.includes(verb)),
        ),
    )
    expect(more).toEqual([])
  })

  test.each(['default', 'hardened'])('%s values grant nothing that opens more than it says', (name) => {
    const text = JSON.stringify(rendered(name))
    expect(text).not.toMatch(/\*|nodes\/proxy|escalate|impersonate|"bind"|pods\/exec/)
    expect(text).toContain('nodes/pods')
  })
})

describe('programs', () => {
  test.each([
    ['webhook-deployment.yaml', WEBHOOK],
    ['enforcer-daemonset.yaml', ENFORCER],
  ])('%s gives flags and variables that its program knows', (file, options) => {
    const template = textOf(`templates/${file}`)
    const flags = [...template.matchAll(/^ +- --([\w-]+)=/gm)].map(([, flag = '']) => flag)
    const known = Object.values<{ readonly flag: string; readonly env?: string }>(options)
    expect(flags.length).toBeGreaterThan(10)
    expect(flags.filter((flag) => !known.some((option) => option.flag === flag))).toEqual([])
    const env = [...template.matchAll(/^ +- name: ([A-Z_]+)$/gm)].map(([, name = '']) => name)
    // The kubelet's address, beside the settings: enforcer/sources/kubeletConnection.ts.
    expect(env.filter((name) => name !== 'NODE_IP' && !known.some((option) => option.env === name))).toEqual(
      [],
    )
  })

  test('what may change limits, in the words of the API server, is what admission reads', () => {
    const text = textOf('templates/_helpers.tpl')
    const prefixes = [...text.matchAll(/key\.startsWith\('([^']+)'\)/g)].map(([, prefix = '']) => prefix)
    expect(prefixes).toEqual(expect.arrayContaining([PREFIX, CONTAINER_PREFIX]))
    const missed = [...ALIAS_KEYS.keys()].filter((key) => !prefixes.some((prefix) => key.startsWith(prefix)))
    expect(missed).toEqual([])
    expect(prefixes.filter((prefix) => !isOurKey(prefix) && !hasAlias(prefix))).toEqual([])
  })

  test('the marks that users may not set are those that only admission writes', () => {
    const list = `['${WRITER_ONLY_KEYS.join("', '")}']`
    expect(textOf('templates/admission-policies.yaml')).toContain(list)
  })

  test('the labels of namespaces are those of the programs', () => {
    const list = `['${[ENFORCE_LABEL, WARN_LABEL, AUDIT_LABEL].join("', '")}']`
    expect(textOf('templates/webhook-configurations.yaml')).toContain(list)
  })

  test('workloads are those that the webhook can read', () => {
    const text = textOf('templates/webhook-configurations.yaml')
    const listed = [...text.matchAll(/apiGroups: \[(\w+|"")\]\n.*\n +resources: \[([\w, /]+)\]/g)].flatMap(
      ([, group = '', names = '']) =>
        names.split(', ').map((name) => (group === '""' ? name : `${group}/${name}`)),
    )
    expect(listed.filter((name) => !name.startsWith('namespaces')).toSorted()).toEqual(
      WORKLOADS.map(({ resource }) => resource).toSorted(),
    )
  })
})

const readList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const at = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce((inner, key) => {
    const field = rootField(inner, '')
    return childOf(field, readMap(field) ?? {}, key).value
  }, value)

const hasAlias = (prefix: string): boolean => [...ALIAS_KEYS.keys()].some((key) => key.startsWith(prefix))

type Fields = Readonly<Record<string, unknown>>

function visitObjects(value: unknown, visit: (schema: Fields, path: string) => void, path = ''): void {
  const map = Array.isArray(value) ? undefined : readMap(rootField(value, ''))
  if (map === undefined) return
  visit(map, path)
  for (const [key, child] of Object.entries(map)) visitObjects(child, visit, `${path}/${key}`)
}

/** By `properties`, through `$ref`, down to what the documentation takes as a whole. */
function findSchemaLeaves(
  root: unknown,
  isWhole: (path: string) => boolean,
  schema = root,
  path = '',
): readonly string[] {
  const field = rootField(schema, path)
  const map = readMap(field) ?? {}
  const { value: ref } = childOf(field, map, '$ref')
  if (typeof ref === 'string') {
    const definitions = childOf(rootField(root, ''), readMap(rootField(root, '')) ?? {}, '$defs')
    const definition = childOf(definitions, readMap(definitions) ?? {}, ref.replace('#/$defs/', ''))
    return findSchemaLeaves(root, isWhole, definition.value, path)
  }
  const properties = childOf(field, map, 'properties')
  if (isWhole(path) || properties.value === undefined) return [path]
  return Object.entries(readMap(properties) ?? {}).flatMap(([key, child]) =>
    findSchemaLeaves(root, isWhole, child, path === '' ? key : `${path}.${key}`),
  )
}
