/** The API server refuses what our loader refuses, and takes what it takes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { formatProblem } from '../../contract/problem.ts'
import { rootField } from '../../contract/reader.ts'
import { isKubeError } from '../../kube/error.ts'
import { readPolicy } from '../../webhook/policy/parse.ts'
import { REFUSED_POLICY } from '../house/samples.ts'
import { objectsOf, renderChart } from '../support/chart/helm.ts'
import { BAD_RULES, GOOD_RULES, policyOf, rules } from '../support/chart/policies.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { policyText } from '../support/policies.ts'

const POLICIES = '/apis/policy.iops-limit/v1alpha1/iolimitpolicies'

let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster()
  const parts = ['crd.yaml', 'admission-policies.yaml'].map((name) => ['-s', `templates/${name}`])
  await cluster.apply(...objectsOf(await renderChart(...parts.flat())))
  const created = await cluster.kubectl([
    ...['wait', '--for=condition=Established', '--timeout=30s'],
    'crd/iolimitpolicies.policy.iops-limit',
  ])
  expect(created.code).toBe(0)
  await until(async () => (await judgeByServer(BAD_SELECTOR)) !== undefined)
  await until(async () => (await cluster.kubectl(['explain', 'iolp'])).code === 0)
})

afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

/** What only the ValidatingAdmissionPolicy refuses. */
const BAD_SELECTOR = policyOf({ name: 'r', selector: { matchLabels: { '-a': 'b' } } })

/** Policies and documentation take effect a moment after they were made. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(100)
}

/** What the API server has against it, as kubectl asks: strictly, and without storing it. */
async function judgeByServer(object: unknown): Promise<string | undefined> {
  try {
    const query = { dryRun: 'All', fieldValidation: 'Strict' }
    await cluster.client.request({ method: 'POST', path: POLICIES, query, body: object })
    return undefined
  } catch (error) {
    if (isKubeError(error, 'Invalid', 'BadRequest', 'Forbidden')) return error.message
    throw error
  }
}

/** What the loader has against it as it comes from the cluster: as JSON. */
function judgeByLoader(object: unknown): string | undefined {
  const field = rootField(JSON.parse(JSON.stringify(object)), '')
  readPolicy(field)
  return field.problems.length === 0 ? undefined : field.problems.map(formatProblem).join('; ')
}

async function compare(object: unknown): Promise<void> {
  const judged = { object, server: await judgeByServer(object), loader: judgeByLoader(object) }
  expect(judged.server === undefined, JSON.stringify(judged, undefined, 1)).toBe(judged.loader === undefined)
}

/** In files of YAML and JSON, and in the fences of documents; items of lists too. */
function findPolicies(folder: string): readonly object[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files.flatMap((name) => {
    if (!/\.(ya?ml|json|md)$/.test(name)) return []
    const text = readFileSync(join(folder, name), 'utf8')
    const fences = [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(([, fence = '']) => fence)
    return (name.endsWith('.md') ? fences : [text]).flatMap(objectsOf).flatMap(policiesIn)
  })
}

const policiesIn = (object: object): readonly object[] => {
  if ('items' in object && Array.isArray(object.items)) return object.items.flatMap(policiesIn)
  return 'kind' in object && object.kind === 'IOLimitPolicy' ? [object] : []
}

const ruleOf = (fields: string): unknown => parse(policyText('p', `{name: r, ${fields}}`))

describe('schema and loader', () => {
  it.each(GOOD_RULES)('take {%s}', async (fields) => {
    const object = ruleOf(fields)
    expect({ server: await judgeByServer(object), loader: judgeByLoader(object) }).toEqual({})
  })

  it.each(BAD_RULES)('refuse {%s}', async (fields) => {
    const object = ruleOf(fields)
    expect(judgeByLoader(object)).toBeDefined()
    expect(await judgeByServer(object)).toBeDefined()
  })

  it.each([
    ['no rules', 'spec: {rules: []}'],
    ['no spec', '{}'],
    ['rules of another type', 'spec: {rules: {}}'],
    ['a rule of another type', 'spec: {rules: [5]}'],
    ['a rule without a name', 'spec: {rules: [{}]}'],
    ['a rule with a path for a name', 'spec: {rules: [{name: a/b}]}'],
    ['a rule with a name too long', `spec: {rules: [{name: ${'x'.repeat(64)}}]}`],
    ['a name twice', 'spec: {rules: [{name: a}, {name: b}, {name: a}]}'],
    ['an unknown field', 'spec: {rules: [{name: a}], rule: []}'],
    ['an unknown field at the root', 'spec: {rules: [{name: a}]}\nspecs: {}'],
    ['globs of another type', 'spec: {rules: [{name: a}], exemptNamespaces: a}'],
    ['an empty glob', 'spec: {rules: [{name: a}], exemptNamespaces: [""]}'],
    ['a name that no label holds', `metadata: {name: ${'x'.repeat(64)}}\nspec: {rules: [{name: a}]}`],
    ['a name in capitals', 'metadata: {name: Gold}\nspec: {rules: [{name: a}]}'],
  ])('refuse %s', async (_, text) => {
    const object = { ...policyOf({}), spec: undefined, ...(parse(text) as object) }
    expect(judgeByLoader(object)).toBeDefined()
    expect(await judgeByServer(object)).toBeDefined()
  })

  it('judge every policy of fixtures and documentation alike', async () => {
    const found = [...findPolicies('test/fixtures'), ...findPolicies('docs')]
    expect(found.length).toBeGreaterThan(2)
    for (const policy of found) await compare(policy)
  })

  it('refuse the one that the documentation shows as wrong', async () => {
    const refused: unknown = parse(REFUSED_POLICY)
    expect(judgeByLoader(refused)).toBeDefined()
    expect(await judgeByServer(refused)).toBeDefined()
  })

  it('judge 500 generated policies alike', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(rules, async (rule) => {
        const object = policyOf(rule)
        await compare(object)
        if (judgeByLoader(object) === undefined) taken++
      }),
      { numRuns: 500 },
    )
    // A comparison that never meets a good one, or a bad one, says nothing.
    expect(taken).toBeGreaterThan(50)
    expect(taken).toBeLessThan(450)
  })
})

/** What the two are known to judge otherwise. Each is told by the webhook, at the latest in the policy's status. */
describe('where they differ', () => {
  const takenByServer: readonly (readonly [string, object])[] = [
    ['null, which the API server takes for nothing', { name: 'r', default: null }],
    [
      'patterns that are too much work together: CEL cannot weigh a regular expression',
      { name: 'r', exemptContainers: { nameRegexes: Array.from({ length: 90 }, () => 'a{10}') } },
    ],
    [
      'an order that shows behind the fifteenth digit only: CEL has no wider numbers',
      { name: 'r', default: { bps: '9007199254740993' }, max: { bps: '9007199254740992' } },
    ],
    ['a number beyond 64 bits in a selector', { name: 'r', selector: 'a>9999999999999999999' }],
    ['a label key of more than 317 characters', { name: 'r', selector: `${'a.'.repeat(200)}a/b` }],
  ]
  it.each(takenByServer)('taken by the API server alone: %s', async (_, rule) => {
    const object = policyOf(rule)
    expect(judgeByLoader(object)).toBeDefined()
    expect(await judgeByServer(object)).toBeUndefined()
  })

  const takenByLoader: readonly (readonly [string, object])[] = [
    [
      'more than a hundred rules: rules are compared with one another within a budget',
      {
        ...policyOf({}),
        spec: { rules: Array.from({ length: 101 }, (_, index) => ({ name: `r${index}` })) },
      },
    ],
    [
      'more than a hundred labels or expressions in a selector',
      policyOf({
        name: 'r',
        selector: {
          matchExpressions: Array.from({ length: 101 }, (_, index) => ({
            key: `k${index}`,
            operator: 'Exists',
          })),
        },
      }),
    ],
    ['an exponent of more than two digits', policyOf({ name: 'r', max: { bps: '1e006' } })],
    [
      'the largest number with zeros before it',
      policyOf({ name: 'r', max: { bps: '018446744073709551614' } }),
    ],
  ]
  it.each(takenByLoader)('taken by the loader alone: %s', async (_, object) => {
    expect(judgeByLoader(object)).toBeUndefined()
    expect(await judgeByServer(object)).toBeDefined()
  })
})

describe('the API server says', () => {
  it.each([
    [
      { default: { iops: 600 }, max: { writeIOPS: 500 } },
      'spec.rules[0]: Invalid value: the default of writeIOPS is above its max: lower it or raise the other',
    ],
    [
      { max: { readBPS: '200MB' } },
      'is not a quantity of bytes per second: write such as 50Mi (powers of 1024) or 50M (powers of 1000), and leave the field out where there is no limit',
    ],
    [
      { max: { readIOPS: 'max' } },
      'is not a whole number of operations per second from 2 to 4294967294: write such as 500, and leave the field out where there is no limit',
    ],
    [{ maxx: {} }, 'unknown field "spec.rules[0].maxx"'],
    [
      { exempt: true, max: { iops: 5 } },
      'default, max, min, scope, exemptContainers and adaptive have no effect in a rule with exempt: true: remove them, or remove exempt',
    ],
    [
      { selector: { matchLabels: { '-a': 'b' } } },
      'rule r: selector.matchLabels has a key that is not a label key: write [PREFIX/]NAME of letters, digits, "-", "_", "."; NAME has at most 63',
    ],
    [{ exemptContainers: { nameRegexes: ['('] } }, 'is not a regular expression: write RE2 syntax'],
  ])('%j', async (fields, message) => {
    expect(await judgeByServer(policyOf({ name: 'r', ...fields }))).toContain(message)
  })

  it('refuses unknown fields to whoever asks strictly, as kubectl does, and warns everybody else', async () => {
    const policy = JSON.stringify(policyOf({ name: 'r', maxx: {} }))
    const strict = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], policy)
    expect(strict.stderr).toContain('strict decoding error: unknown field "spec.rules[0].maxx"')
    const warned = await cluster.kubectl(['create', '--dry-run=server', '--validate=warn', '-f', '-'], policy)
    expect(warned).toMatchObject({ code: 0, stderr: 'Warning: unknown field "spec.rules[0].maxx"\n' })
  })
})

describe('kubectl', () => {
  it.each([
    ['', 'Disk-IO limits for the pods of the namespaces that name it'],
    ['.spec.rules', "The first rule whose selector matches the pod's labels decides, alone."],
    ['.spec.rules.selector', 'A map with'],
    ['.spec.rules.default', 'What a pod gets where it does not say.'],
    ['.spec.rules.max.readBPS', 'Bytes per second of reads; beats bps: a Kubernetes quantity'],
    ['.status.conditions', 'Accepted: whether the policy is in force'],
  ])('explains iolp%s', async (path, text) => {
    const explained = await cluster.kubectl(['explain', `iolp${path}`])
    expect(explained.stdout.replaceAll(/\s+/g, ' ')).toContain(text)
  })

  it('has a description of every field', async () => {
    const { stdout } = await cluster.kubectl(['explain', 'iolp.spec', '--recursive'])
    expect(stdout).toContain('exemptNamespaces')
    expect(await renderChart('-s', 'templates/crd.yaml')).not.toContain('description: \n')
  })

  it('shows at a glance whether a policy is in force', async () => {
    await cluster.apply({ ...policyOf({ name: 'r' }), metadata: { name: 'shown' } })
    const condition = {
      type: 'Accepted',
      status: 'False',
      reason: 'Invalid',
      message: 'spec is bad',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    await cluster.client.request({
      method: 'PATCH',
      path: `${POLICIES}/shown/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [condition] } },
    })
    const { stdout } = await cluster.kubectl(['get', 'iolp', '-o', 'wide'])
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
      ['NAME', 'ACCEPTED', 'REASON', 'MESSAGE'],
      ['shown', 'False', 'Invalid', 'spec is bad'],
      [''],
    ])
  })
})
