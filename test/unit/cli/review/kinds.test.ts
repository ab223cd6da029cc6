import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createFolder, reviewText, UNDER_GOLD } from '../../../support/cli/folder.ts'
import { RECORDED_NAMES } from '../../../support/reviews.ts'

const POD = { metadata: { labels: { app: 'pg' } }, spec: { containers: [{ name: 'main', image: 'web' }] } }
const TEMPLATE = { template: POD }

interface Answer {
  readonly summary: Readonly<Record<string, number>>
  readonly results: readonly {
    readonly kind: string
    readonly verdict: string
    readonly podPath: string
    readonly rule?: string
  }[]
}

const judged = async (object: object, argv: readonly string[] = []): Promise<Answer> =>
  JSON.parse((await reviewText(JSON.stringify(object), ['-o', 'json', ...argv])).stdout) as Answer

describe('everything that makes pods', () => {
  test.each([
    ['v1', 'Pod', POD, ''],
    ['apps/v1', 'Deployment', { spec: TEMPLATE }, 'spec.template'],
    ['apps/v1beta2', 'Deployment', { spec: TEMPLATE }, 'spec.template'],
    ['apps/v1', 'StatefulSet', { spec: TEMPLATE }, 'spec.template'],
    ['apps/v1', 'DaemonSet', { spec: TEMPLATE }, 'spec.template'],
    ['apps/v1', 'ReplicaSet', { spec: TEMPLATE }, 'spec.template'],
    ['v1', 'ReplicationController', { spec: TEMPLATE }, 'spec.template'],
    ['v1', 'PodTemplate', TEMPLATE, 'template'],
    ['batch/v1', 'Job', { spec: TEMPLATE }, 'spec.template'],
    ['batch/v1', 'CronJob', { spec: { jobTemplate: { spec: TEMPLATE } } }, 'spec.jobTemplate.spec.template'],
  ])('%s %s', async (apiVersion, kind, body, podPath) => {
    const { results } = await judged({ apiVersion, kind, ...body })
    expect(results).toEqual([
      expect.objectContaining({ kind, podPath, verdict: 'defaulted', rule: 'databases' }),
    ])
  })

  test.each([
    ['serving.knative.dev/v1', 'Deployment', { spec: TEMPLATE }],
    ['v1', 'ConfigMap', { spec: TEMPLATE }],
    ['v1', 'ReplicationController', { spec: {} }],
    ['apps/v1', 'Deployment', { spec: { template: null } }],
  ])('and nothing else: %s %s %j', async (apiVersion, kind, body) => {
    const { results, summary } = await judged({ apiVersion, kind, ...body })
    expect(results).toEqual([])
    expect(summary['otherObjects']).toBe(1)
  })

  test.each([
    [['spec.template'], ['spec.template']],
    [['Rollout=spec.template'], ['spec.template']],
    [['Rollout.argoproj.io=spec.template'], ['spec.template']],
    [['Rollout.argoproj.io=spec.tasks[*].template'], ['spec.tasks[0].template', 'spec.tasks[2].template']],
    [['Rollout=spec.tasks[2].template,Rollout=spec.template'], ['spec.tasks[2].template', 'spec.template']],
    [['Rollout.other.io=spec.template', 'Canary=spec.template', 'spec.none[*].template'], []],
  ])('other kinds by --pod-template-path %j', async (paths, expected) => {
    const object = {
      ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'r' } },
      spec: { ...TEMPLATE, tasks: [TEMPLATE, { template: 'none' }, TEMPLATE] },
    }
    const { results } = await judged(
      object,
      paths.flatMap((path) => ['--pod-template-path', path]),
    )
    expect(results.map(({ podPath }) => podPath)).toEqual(expected)
    expect(results.every(({ rule }) => rule === 'databases')).toBe(true)
  })

  test('a template is judged as its controller makes the pod: without a name of its own', async () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { template: { spec: POD.spec } },
    }
    const { stdout } = await reviewText(JSON.stringify(object))
    expect(stdout).toMatch(
      /^defaulted +Deployment default\/web \(namespace assumed\), policy gold, rule everything-else -:1\n/,
    )
  })

  test('a name that is made later', async () => {
    const { stdout } = await reviewText(
      JSON.stringify({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { generateName: 'once-' },
        spec: TEMPLATE,
      }),
    )
    expect(stdout).toContain('Job default/once-* (namespace assumed)')
  })

  test.each([
    [
      { metadata: { labels: { app: 5 } } },
      'spec.template.metadata.labels.app: "5" is a number, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      { metadata: { annotations: [] } },
      'spec.template.metadata.annotations: is a list, not a map; write a map of keys and values',
    ],
    [{ spec: { containers: {} } }, 'spec.template.spec.containers: is a map, not a list; write a list'],
  ])('a template that no API server would take: %j', async (template, message) => {
    const { code, stdout } = await reviewText(
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { template },
      }),
    )
    expect(code).toBe(1)
    expect(stdout).toContain(`  refused: ${message}\n`)
  })
})

describe('recorded AdmissionReviews', () => {
  test('of pods are answered as they are; others make no pods', async () => {
    using folder = createFolder(
      Object.fromEntries(
        RECORDED_NAMES.map((name) => [name, readFileSync(`test/fixtures/recorded/admission/${name}`)]),
      ),
    )
    const { code, stdout } = await folder.run(['review', '.', ...UNDER_GOLD, '-o', 'json'])
    const { results, summary } = JSON.parse(stdout) as Answer
    expect(code).toBe(0)
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['Pod']))
    expect(results.map(({ verdict }) => verdict)).toEqual(Array(results.length).fill('defaulted'))
    expect(summary['otherObjects']).toBe(RECORDED_NAMES.length - results.length)
  })

  test('of a Namespace alone are nothing to evaluate, with no policy either', async () => {
    using folder = createFolder({
      'a.json': readFileSync('test/fixtures/recorded/admission/01-create-namespaces.json'),
    })
    expect(await folder.run(['review', '.'])).toEqual({
      code: 3,
      stdout: '0 workloads; 1 other object (nothing was evaluated)\n',
      stderr: '',
    })
  })

  test('that no webhook could read are refused with the field', async () => {
    const review = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: 'u',
        operation: 'CREATE',
        resource: { group: '', version: 'v1', resource: 'pods' },
        namespace: 'team',
        object: { metadata: [] },
      },
    }
    const { code, stdout } = await reviewText(JSON.stringify(review))
    expect(code).toBe(1)
    expect(stdout).toContain(
      'refused: request.object.metadata: is a list, not a map; write a map of keys and values',
    )
  })
})
