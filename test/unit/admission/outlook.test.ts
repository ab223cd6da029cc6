import { describe, expect, it } from 'vitest'
import {
  findLabelChanges,
  foresee,
  type LabelChange,
  type ListedPod,
  type Outlook,
  readListedPod,
} from '../../../webhook/admission/outlook.ts'
import { describeOutlook } from '../../../webhook/admission/outlookText.ts'
import { findStrangers, planOutlook } from '../../../webhook/admission/validateNamespace.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { podOf } from '../../support/subjects.ts'
import { parsedValidation } from '../../support/validations.ts'

const BOOK = {
  policies: policiesOf(
    policyText('silver', '{name: all, default: {iops: 500}, max: {iops: 1000}, min: {iops: 100}}'),
  ),
  exemptNamespaces: [],
}
const ENFORCE: LabelChange = { label: 'iops-limit/enforce', before: 'gold', after: 'silver' }
const WARN: LabelChange = { label: 'iops-limit/warn', before: undefined, after: 'silver' }

const ADMITTED = {
  'iops-limit/read-iops': '500',
  'iops-limit/write-iops': '2000',
  'iops-limit/policy': 'gold/all',
  'iops-limit/defaulted': 'read-iops,write-iops',
}

const pods = (count: number, annotations: Readonly<Record<string, string>>, owner = 'ReplicaSet web') =>
  Array.from({ length: count }, (): ListedPod => ({ owner, info: podOf({ annotations }) }))

function tell(
  changes: readonly LabelChange[],
  listed: readonly ListedPod[],
  coverage: Partial<Outlook> = {},
): readonly string[] {
  const labels = Object.fromEntries(
    changes.flatMap(({ label, after }) => (after === undefined ? [] : [[label, after]])),
  )
  const namespace = { name: 'team', labels }
  const effects = foresee(changes, { namespace, pods: listed }, BOOK)
  return describeOutlook(changes, { effects, looked: listed.length, total: listed.length, ...coverage })
}

describe('numbers', () => {
  it('of pods that change, and of those out of the new bounds', () => {
    const user = { 'iops-limit/limit': '9000', 'iops-limit/policy': 'gold/all' }
    expect(tell([ENFORCE], [...pods(12, ADMITTED), ...pods(3, user, 'StatefulSet pg')])).toEqual([
      'enforce=silver: 12 pods: write-iops 2000 -> 500; 3 pods above the new max',
      'enforce=silver: StatefulSet pg (3 pods): iops-limit/limit "9000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
    ])
  })

  it('of each kind of trouble, pods of one owner together', () => {
    const mark = { 'iops-limit/policy': 'gold/all' }
    const listed = [
      ...pods(1, { ...mark, 'iops-limit/limit': '50' }, 'pod one'),
      ...pods(1, { ...mark, 'iops-limit/limit': 'x' }, 'ReplicaSet web'),
    ]
    expect(tell([ENFORCE], listed)).toEqual([
      'enforce=silver: 1 pod below the new min; 1 pod with values that cannot be read',
      'enforce=silver: ReplicaSet web (1 pod): iops-limit/limit: "x" is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit',
      'enforce=silver: pod one: iops-limit/limit "50" is below the min of 100 for readIOPS and writeIOPS; write 100 or more',
    ])
  })

  it('of each label what it does, and not what another does', () => {
    const gone: LabelChange = { label: 'iops-limit/enforce', before: 'gold', after: undefined }
    expect(tell([gone, WARN], pods(2, ADMITTED)).filter((line) => line.startsWith('enforce'))).toEqual([
      'enforce removed: 2 pods: read-iops 500 -> unlimited, write-iops 2000 -> unlimited',
    ])
    expect(tell([gone, WARN], pods(2, ADMITTED)).filter((line) => line.startsWith('warn'))).toEqual(
      tell([WARN], pods(2, ADMITTED)),
    )
  })

  it('of pods that lose their limits', () => {
    expect(tell([{ ...ENFORCE, after: undefined }], pods(2, ADMITTED))).toEqual([
      'enforce removed: 2 pods: read-iops 500 -> unlimited, write-iops 2000 -> unlimited',
    ])
  })

  it('of pods that nothing happens to, without those that are ending', () => {
    const ending = { owner: 'pod two', info: podOf({ deleting: true, annotations: ADMITTED }) }
    expect(tell([ENFORCE], [ending])).toEqual(['enforce=silver: nothing changes for 0 pods'])
    expect(tell([{ ...ENFORCE, after: undefined }], pods(1, {}))).toEqual([
      'enforce removed: nothing changes for 1 pod',
    ])
  })

  it('of what would be warned of, and nothing where that goes', () => {
    expect(tell([WARN], [...pods(4, {}), ...pods(1, { 'iops-limit/limit': '9000' }, 'pod one')])).toEqual([
      'warn=silver: 4 pods would get read-iops 500, write-iops 500; 1 pod above the new max',
      'warn=silver: pod one: iops-limit/limit "9000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
    ])
    expect(tell([{ ...WARN, before: 'silver', after: undefined }], pods(4, {}))).toEqual([])
  })

  it('of many: in as few lines as hold them, the rest counted', () => {
    const different = Array.from({ length: 9 }, (_, index) =>
      pods(9 - index, { ...ADMITTED, 'iops-limit/write-iops': String(3000 + index) }),
    ).flat()
    expect(tell([ENFORCE], different)).toEqual([
      'enforce=silver: 9 pods: write-iops 3000 -> 500; 8 pods: write-iops 3001 -> 500; 7 pods: write-iops 3002 -> 500; 6 pods: write-iops 3003 -> 500; 5 pods: write-iops 3004 -> 500; 4 pods: write-iops 3005 -> 500; 6 pods in 3 other ways',
    ])
    const wide = Array.from({ length: 4 }, (_, index) =>
      pods(1, {
        ...ADMITTED,
        'iops-limit/read-bps': `${index + 1}Gi`,
        'iops-limit/write-bps': `${index + 1}Gi`,
        'iops-limit/defaulted': 'read-iops,write-iops,read-bps,write-bps',
      }),
    ).flat()
    const lines = tell([ENFORCE], wide)
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(line.startsWith('enforce=silver: 1 pod: write-iops 2000 -> 500, read-bps ')).toBe(true)
      expect(line.length).toBeLessThanOrEqual(240)
    }
  })

  it('of troubles that are not all told', () => {
    const listed = Array.from({ length: 8 }, (_, index) =>
      pods(2, { 'iops-limit/limit': '9000', 'iops-limit/policy': 'gold/all' }, `ReplicaSet r${index}`),
    ).flat()
    const lines = tell([ENFORCE], listed)
    expect(lines).toHaveLength(7)
    expect(lines.at(-1)).toBe('enforce=silver: and 6 pods more with such values')
  })
})

describe('coverage', () => {
  it('is said where it is partial', () => {
    expect(tell([ENFORCE], pods(1, ADMITTED), { looked: 500, total: 2310 })[1]).toBe(
      'only the first 500 of 2,310 pods were looked at',
    )
    expect(tell([ENFORCE], pods(1, ADMITTED), { looked: 3000, total: undefined })[1]).toBe(
      'only the first 3,000 pods were looked at',
    )
  })
})

describe('a listed pod', () => {
  const item = (metadata: object, phase = 'Running') => ({
    metadata: { namespace: 'team', name: 'web-1', uid: 'u', resourceVersion: '1', ...metadata },
    spec: { containers: [{ name: 'main', image: 'i' }] },
    status: { phase },
  })

  it('is called by its controller, else by its name', () => {
    const references = [
      { kind: 'Node', name: 'n' },
      { kind: 'ReplicaSet', name: 'web', controller: true },
    ]
    expect(readListedPod(item({ ownerReferences: references }))?.owner).toBe('ReplicaSet web')
    expect(readListedPod(item({}))).toMatchObject({ owner: 'pod web-1', info: { deleting: false } })
  })

  it('has not ended', () => {
    expect(readListedPod(item({}, 'Succeeded'))).toBeUndefined()
    expect(readListedPod(5)).toBeUndefined()
  })
})

describe('what is looked at', () => {
  const review = (labels: object, old: object | undefined, resource = 'namespaces') =>
    parsedValidation({
      resource,
      name: 'team',
      object: { metadata: { labels } },
      ...(old && { operation: 'UPDATE', oldObject: { metadata: { labels: old } } }),
    })

  it('are the pods of a namespace whose labels change to policies that there are', () => {
    expect(planOutlook(review({ 'iops-limit/enforce': 'silver' }, {}), BOOK)).toEqual({
      namespace: { name: 'team', labels: { 'iops-limit/enforce': 'silver' } },
      changes: [{ label: 'iops-limit/enforce', before: undefined, after: 'silver' }],
    })
    expect(planOutlook(review({}, { 'iops-limit/audit': 'silver' }), BOOK)?.changes).toHaveLength(1)
  })

  it.each([
    ['a namespace that is new', review({ 'iops-limit/enforce': 'silver' }, undefined)],
    ['labels of others', review({ team: 'a' }, {})],
    ['labels that will be refused', review({ 'iops-limit/enforce': 'none' }, {})],
    ['another object', parsedValidation({ resource: 'configmaps' })],
  ])('not for %s', (_, given) => {
    expect(planOutlook(given, BOOK)).toBeUndefined()
  })

  it('are policies that are named for the first time and not known', () => {
    const labels = { 'iops-limit/enforce': 'new', 'iops-limit/warn': 'new', 'iops-limit/audit': 'silver' }
    expect(findStrangers(review(labels, {}), BOOK)).toEqual(['new'])
    expect(findStrangers(review(labels, labels), BOOK)).toEqual([])
    expect(findStrangers(review(labels, undefined), BOOK)).toEqual(['new'])
    expect(findStrangers(parsedValidation({ resource: 'configmaps' }), BOOK)).toEqual([])
  })

  it('keys of the prototype are no labels', () => {
    expect(findLabelChanges({}, {})).toEqual([])
  })
})
