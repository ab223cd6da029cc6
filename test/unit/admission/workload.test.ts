import { describe, expect, it } from 'vitest'
import { rootField } from '../../../contract/reader.ts'
import { findPodKind, POD, POD_KINDS, readPodTemplate } from '../../../webhook/admission/workload.ts'

const pod = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'main', image: 'i' }] } }

/** An object with the template where its kind has it. */
const nest = (path: readonly string[], template: unknown): unknown =>
  path.reduceRight((inner, key) => ({ [key]: inner }), template)

describe('findPodKind', () => {
  it.each([
    ['v1', 'Pod', ''],
    ['apps/v1', 'Deployment', 'spec.template'],
    ['apps/v1', 'StatefulSet', 'spec.template'],
    ['apps/v1', 'DaemonSet', 'spec.template'],
    ['apps/v1', 'ReplicaSet', 'spec.template'],
    ['v1', 'ReplicationController', 'spec.template'],
    ['batch/v1', 'Job', 'spec.template'],
    ['batch/v1beta1', 'CronJob', 'spec.jobTemplate.spec.template'],
    ['v1', 'PodTemplate', 'template'],
  ])('%s %s', (apiVersion, kind, path) => {
    expect(findPodKind({ apiVersion, kind })?.path.join('.')).toBe(path)
  })

  it.each([
    [{ apiVersion: 'apps/v1', kind: 'Pod' }],
    [{ apiVersion: 'v1', kind: 'Deployment' }],
    [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }],
    [{ apiVersion: 1, kind: 'Pod' }],
    [{ kind: 'Pod' }],
    [{ apiVersion: 'v1', kind: ['Pod'] }],
  ])('%j makes none that are known', (object) => {
    expect(findPodKind(object)).toBeUndefined()
  })

  it('knows others that it is told of', () => {
    const rollout = {
      group: 'argoproj.io',
      kind: 'Rollout',
      resource: 'argoproj.io/rollouts',
      path: ['spec', 'template'],
    }
    expect(findPodKind({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }, [rollout])).toBe(rollout)
  })
})

describe('readPodTemplate', () => {
  it.each(POD_KINDS)('$kind', ({ path }) => {
    const field = rootField(nest(path, pod), '')
    expect(readPodTemplate(field, path)).toMatchObject({
      labels: { app: 'db' },
      containers: [{ name: 'main', image: 'i' }],
    })
    expect(field.problems).toEqual([])
  })

  it('takes a template without metadata', () => {
    for (const metadata of [undefined, null, {}])
      expect(readPodTemplate(rootField({ metadata, spec: {} }, ''), POD.path)?.hasAnnotations).toBe(false)
  })

  it('finds none where there is none', () => {
    for (const object of [{}, { spec: null }, { spec: {} }, { spec: { template: null } }]) {
      const field = rootField(object, '')
      expect(readPodTemplate(field, ['spec', 'template'])).toBeUndefined()
      expect(field.problems).toEqual([])
    }
  })

  it('says where it cannot be read', () => {
    const field = rootField({ spec: { template: { spec: { containers: {} } } } }, 'object')
    readPodTemplate(field, ['spec', 'template'])
    expect(field.problems).toMatchObject([{ field: 'object.spec.template.spec.containers' }])
    const list = rootField({ spec: [] }, 'object')
    expect(readPodTemplate(list, ['spec', 'template'])).toBeUndefined()
    expect(list.problems).toMatchObject([{ field: 'object.spec', reason: 'is a list, not a map' }])
  })
})
