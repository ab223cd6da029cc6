/** What the back-fill makes of a pod as the API server stores it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Backfill, planBackfill, readStandingPod } from '../../../webhook/admission/backfill.ts'
import { isNothing } from '../../../webhook/policy/changes.ts'
import { decide } from '../../../webhook/policy/decide.ts'
import { policiesOf, policyText } from '../../support/policies.ts'

type Values = Readonly<Record<string, string>>

const RULEBOOK = {
  policies: policiesOf(
    [
      policyText(
        'gold',
        '{name: databases, selector: "app in (pg,mysql)", exemptContainers: {names: ["*-exporter"]}, default: {readIOPS: 2000, writeIOPS: 1000}, max: {iops: 5000}, min: {readIOPS: 100}}',
        '{name: system, selector: "tier=system", exempt: true}',
        '{name: rest, selector: "!free", default: {iops: 500}, max: {iops: 1000}}',
      ),
      policyText('silver', '{name: all, default: {iops: 300}, max: {iops: 400}, scope: pod}'),
      policyText('away', '{name: all, default: {iops: 300}}').replace(
        'spec: {',
        'spec: {exemptNamespaces: [team], ',
      ),
    ].join(''),
  ),
  exemptNamespaces: ['kube-system'],
}

const namespaceOf = (policy?: string, name = 'team') => ({
  name,
  labels: policy === undefined ? {} : { 'iops-limit/enforce': policy },
})

interface Given {
  readonly annotations?: Values | null
  readonly labels?: Values
  readonly containers?: readonly string[]
  readonly metadata?: object
  readonly status?: object
}

const storedPod = ({
  annotations = {},
  labels = {},
  containers = ['main'],
  metadata = {},
  status,
}: Given): object => ({
  metadata: {
    namespace: 'team',
    name: 'web',
    uid: 'u-1',
    resourceVersion: '7',
    creationTimestamp: '2026-11-21T09:00:00Z',
    labels,
    annotations,
    ...metadata,
  },
  spec: { containers: containers.map((name) => ({ name, image: 'registry.test/app:1' })) },
  ...(status && { status }),
})

function plan(given: Given, policy?: string, name?: string): Backfill | undefined {
  const pod = readStandingPod(storedPod(given))
  return pod && planBackfill(pod, namespaceOf(policy, name), RULEBOOK)
}

const patched = (given: Given, policy?: string) => plan(given, policy)?.patch?.metadata.annotations

const CALM = { isUnmarked: false, isUnreadable: false, isLifting: false }

describe('a pod that admission missed', () => {
  it('gets defaults and mark, on the version that was read', () => {
    expect(plan({ annotations: null }, 'gold')).toEqual({
      ...CALM,
      isUnmarked: true,
      patch: {
        metadata: {
          uid: 'u-1',
          resourceVersion: '7',
          annotations: {
            'iops-limit/read-iops': '500',
            'iops-limit/write-iops': '500',
            'iops-limit/policy': 'gold/rest',
            'iops-limit/defaulted': 'read-iops,write-iops',
          },
        },
      },
    })
  })

  it('keeps what its user wrote, and has older keys rewritten', () => {
    expect(
      patched({ annotations: { 'iops-limit/read-iops': '0700', 'nvme-iops-write': '300' } }, 'gold'),
    ).toEqual({
      'nvme-iops-write': null,
      'iops-limit/write-iops': '300',
      'iops-limit/policy': 'gold/rest',
    })
  })

  it('keeps values out of bounds, tells them, and is limited by them and the defaults of the rest', () => {
    expect(plan({ annotations: { 'iops-limit/read-iops': '9000' } }, 'gold')).toEqual({
      ...CALM,
      isUnmarked: true,
      complaint:
        'policy gold, rule rest: iops-limit/read-iops "9000" is above the max of 1000 for readIOPS; write 1000 or less',
      patch: {
        metadata: {
          uid: 'u-1',
          resourceVersion: '7',
          annotations: {
            'iops-limit/write-iops': '500',
            'iops-limit/policy': 'gold/rest',
            'iops-limit/defaulted': 'write-iops',
          },
        },
      },
    })
  })

  it('keeps a value that cannot be read, and is known to have no limit there', () => {
    expect(plan({ annotations: { 'iops-limit/read-iops': 'many\u{1f600}' } }, 'gold')).toMatchObject({
      isUnreadable: true,
      complaint:
        'policy gold, rule rest: iops-limit/read-iops: "many\\u{1f600}" is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit',
      patch: { metadata: { annotations: { 'iops-limit/policy': 'gold/rest' } } },
    })
  })

  it('is cut short where it has more to complain of than an Event can carry', () => {
    const annotations = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`container.iops-limit/c${index}`, `limit=${'x'.repeat(60)}`]),
    )
    expect(plan({ annotations }, 'gold')?.complaint).toHaveLength(1024)
  })
})

const GOLD = {
  'iops-limit/read-iops': '500',
  'iops-limit/write-iops': '500',
  'iops-limit/policy': 'gold/rest',
  'iops-limit/defaulted': 'read-iops,write-iops',
}

describe('a pod that was admitted', () => {
  it('is left alone where nothing has changed', () => {
    expect(plan({ annotations: GOLD }, 'gold')).toEqual(CALM)
  })

  it('gets the defaults of today in place of those of yesterday', () => {
    const annotations = { ...GOLD, 'iops-limit/read-iops': '400', 'iops-limit/write-iops': '600' }
    expect(plan({ annotations }, 'gold')).toMatchObject({
      ...CALM,
      patch: { metadata: { annotations: { 'iops-limit/read-iops': '500', 'iops-limit/write-iops': '500' } } },
    })
  })

  it('loses a default that is none any more', () => {
    const annotations = {
      ...GOLD,
      'iops-limit/read-bps': '5Mi',
      'iops-limit/defaulted': 'read-iops,write-iops,read-bps',
    }
    expect(patched({ annotations }, 'gold')).toEqual({
      'iops-limit/read-bps': null,
      'iops-limit/defaulted': 'read-iops,write-iops',
    })
  })

  it('keeps its own values under another policy, is told what is out of bounds, and counts as limited', () => {
    const annotations = {
      'iops-limit/read-iops': '800',
      'iops-limit/scope': 'container',
      'iops-limit/write-iops': '500',
      'iops-limit/policy': 'gold/rest',
      'iops-limit/defaulted': 'write-iops',
    }
    expect(plan({ annotations }, 'silver')).toEqual({
      ...CALM,
      complaint:
        'policy silver, rule all: iops-limit/read-iops "800" is above the max of 400 for readIOPS; write 400 or less; iops-limit/scope "container" would give each container the whole limit, and the rule\'s scope is pod; remove it or write "pod"',
      patch: {
        metadata: {
          uid: 'u-1',
          resourceVersion: '7',
          annotations: { 'iops-limit/write-iops': '300', 'iops-limit/policy': 'silver/all' },
        },
      },
    })
  })

  it('counts as unlimited under the mark of a policy that there is not', () => {
    expect(plan({ annotations: { ...GOLD, 'iops-limit/policy': 'mine/free' } }, 'gold')?.isUnmarked).toBe(
      true,
    )
  })

  it('is let go by an exempt rule, and by no rule at all', () => {
    const gone = Object.fromEntries(Object.keys(GOLD).map((key) => [key, null]))
    expect(plan({ annotations: GOLD, labels: { tier: 'system' } }, 'gold')).toMatchObject(CALM)
    expect(patched({ annotations: GOLD, labels: { tier: 'system' } }, 'gold')).toEqual(gone)
    expect(patched({ annotations: GOLD, labels: { free: '' } }, 'gold')).toEqual(gone)
  })
})

/** An entry of metadata.managedFields: who set these annotations, and at which hour. */
const managed = (who: string, hour: number, ...keys: readonly string[]): object => ({
  manager: who,
  time: `2026-11-21T${String(hour).padStart(2, '0')}:00:00Z`,
  operation: 'Update',
  fieldsV1: {
    'f:metadata': {
      'f:annotations': { '.': {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) },
    },
  },
})

const LIST = 'iops-limit/defaulted'

describe('a default that was edited while no webhook answered', () => {
  const annotations = { ...GOLD, 'iops-limit/read-iops': '700', 'iops-limit/write-iops': '400' }
  const EDIT = managed('kubectl-annotate', 9, 'iops-limit/read-iops')

  it("is its user's: it stays, and leaves the list", () => {
    expect(
      patched(
        { annotations, metadata: { managedFields: [managed('kubectl-create', 8, 'a'), EDIT] } },
        'gold',
      ),
    ).toEqual({
      'iops-limit/write-iops': '500',
      'iops-limit/defaulted': 'write-iops',
    })
  })

  it('is so too where the back-fill wrote the list before', () => {
    const managedFields = [EDIT, managed('iops-limit-backfill', 8, LIST), managed('old', 7, LIST)]
    expect(patched({ annotations, metadata: { managedFields } }, 'gold')).toMatchObject({
      'iops-limit/defaulted': 'write-iops',
    })
  })

  it('stays where the limits are lifted', () => {
    const found = patched({ annotations, metadata: { managedFields: [EDIT] } })
    expect(found).toEqual({
      'iops-limit/write-iops': null,
      'iops-limit/policy': null,
      'iops-limit/defaulted': null,
    })
  })

  it.each([
    [
      'set with its list, as in a copy of an admitted pod',
      [managed('velero', 8, 'iops-limit/read-iops', LIST)],
    ],
    [
      'set before the back-fill wrote the list',
      [managed('velero', 8, 'iops-limit/read-iops'), managed('iops-limit-backfill', 9, LIST)],
    ],
    ['set by the back-fill', [managed('iops-limit-backfill', 9, 'iops-limit/read-iops')]],
    ["in nobody's name, as admission sets it", [managed('kubectl-create', 8, 'a')]],
    ['books that cannot be read', [7, { manager: 'x' }, { fieldsV1: { 'f:metadata': 3 } }]],
    ['no books', 'none'],
  ])('is ours otherwise: %s', (_, managedFields) => {
    expect(patched({ annotations, metadata: { managedFields } }, 'gold')).toEqual({
      'iops-limit/read-iops': '500',
      'iops-limit/write-iops': '500',
    })
  })
})

describe('a pod outside every policy', () => {
  const own = { ...GOLD, 'iops-limit/read-iops': '700', 'iops-limit/defaulted': 'write-iops', other: 'x' }
  const lifted = { 'iops-limit/write-iops': null, 'iops-limit/policy': null, 'iops-limit/defaulted': null }

  it.each([
    ['the label was removed', undefined, 'team'],
    ['the policy exempts the namespace', 'away', 'team'],
    ['the webhook exempts the namespace', 'gold', 'kube-system'],
  ])('loses what admission wrote and keeps what its user wrote: %s', (_, policy, name) => {
    const found = plan({ annotations: own }, policy, name)
    expect(found?.patch?.metadata.annotations).toEqual(lifted)
    expect(found?.isLifting).toBe(true)
  })

  it('is left alone where admission never wrote anything', () => {
    expect(plan({ annotations: { 'iops-limit/limit': '5' } })).toEqual(CALM)
  })

  it('stays as it is where the label names a policy that there is not: whoever deleted it may not have meant to', () => {
    expect(plan({ annotations: own }, 'lost')).toEqual(CALM)
    expect(plan({}, 'lost')).toEqual({ ...CALM, isUnmarked: true })
  })
})

describe('pods that are left alone', () => {
  it.each([
    ['being deleted', { metadata: { deletionTimestamp: '2026-11-21T09:00:00Z' } }],
    ['the mirror of a static pod', { annotations: { 'kubernetes.io/config.mirror': 'x' } }],
    ['finished', { status: { phase: 'Succeeded' } }],
    ['failed', { status: { phase: 'Failed' } }],
    ['without a name', { metadata: { name: undefined } }],
    ['with annotations that are none', { metadata: { annotations: { a: 1 } } }],
  ])('%s', (_, given) => {
    expect(plan(given, 'gold')).toBeUndefined()
  })

  it.each([[undefined], [7], [{}], [{ metadata: {}, status: 3 }], [{ metadata: 3 }]])(
    'not a pod: %j',
    (item) => {
      expect(readStandingPod(item)).toBeUndefined()
    },
  )
})

it('reads where a pod is, whether it runs, and since when', () => {
  const status = { phase: 'Running', startTime: '2026-11-21T09:30:00Z' }
  expect(readStandingPod(storedPod({ status }))).toMatchObject({
    namespace: 'team',
    name: 'web',
    uid: 'u-1',
    resourceVersion: '7',
    isRunning: true,
    since: Date.UTC(2026, 10, 21, 9, 30),
  })
  expect(readStandingPod(storedPod({ status: { phase: 'Pending' } }))).toMatchObject({
    isRunning: false,
    since: Date.UTC(2026, 10, 21, 9),
  })
})

/** Anything that could stand on a pod, forged marks and lists among it. */
const annotationsOf = fc
  .record(
    {
      'iops-limit/limit': fc.constantFrom('300', '900', '9000', 'x'),
      'iops-limit/read-iops': fc.constantFrom('50', '300', '500', '2000', '9000', 'max', '1.5'),
      'iops-limit/write-iops': fc.constantFrom('300', '500', '1000', '0700'),
      'iops-limit/read-bps': fc.constantFrom('5Mi', '5MB'),
      'iops-limit/scope': fc.constantFrom('pod', 'container', 'node'),
      'container.iops-limit/main': fc.constantFrom('read-iops=800', 'limit=99999', 'x'),
      'nvme-iops-read': fc.constantFrom('300', '500', 'x'),
      'kubediskguard.io/iops': fc.constantFrom('300', '500'),
      'iops-limit/iops': fc.constantFrom('300', '500'),
      'iops-limit/policy': fc.constantFrom('gold/rest', 'silver/all', 'mine/free', ''),
      'iops-limit/defaulted': fc
        .subarray(['read-iops', 'write-iops', 'read-bps', 'limit', 'scope', 'iops', 'policy'])
        .map((names) => names.join(',')),
      'iops-limit/exempt-containers': fc.constantFrom('main', 'pg-exporter'),
      'other.io/key': fc.constant('x'),
    },
    { requiredKeys: [] },
  )
  .map((annotations) => annotations as Values)

const labelsOf = fc.constantFrom<Values>({}, { app: 'pg' }, { tier: 'system' }, { free: '' })
const policyOf = fc.constantFrom('gold', 'silver', 'away', 'lost', undefined)
const ownedOf = fc.subarray(['iops-limit/read-iops', 'iops-limit/write-iops', 'iops-limit/scope', LIST])
const containersOf = fc.constantFrom(['main'], ['main', 'pg-exporter'])

/** RFC 7396. */
const merge = (annotations: Values, patch: Readonly<Record<string, string | null>>): Values =>
  Object.fromEntries(
    Object.entries({ ...annotations, ...patch }).flatMap(([key, value]) =>
      value === null ? [] : [[key, value]],
    ),
  )

describe('carried out', () => {
  it('plans nothing more, and passes admission unchanged on its way', () => {
    const given = fc.record({ annotations: annotationsOf, labels: labelsOf, containers: containersOf })
    fc.assert(
      fc.property(given, policyOf, ownedOf, (pod, policy, owned) => {
        const namespace = namespaceOf(policy)
        // Nobody owns what is not there.
        const own = owned.filter((key) => Object.hasOwn(pod.annotations, key))
        const books = { managedFields: [managed('kubectl-edit', 8, ...own)] }
        const before = readStandingPod(storedPod({ ...pod, metadata: books }))!
        const patch = planBackfill(before, namespace, RULEBOOK)?.patch?.metadata.annotations ?? {}
        const written = Object.keys(patch)
        // As the API server keeps its books: whoever writes a value owns it.
        const kept = own.filter((key) => !written.includes(key))
        const after = readStandingPod(
          storedPod({
            ...pod,
            annotations: merge(pod.annotations, patch),
            metadata: {
              managedFields: [
                managed('kubectl-edit', 8, ...kept),
                managed('iops-limit-backfill', 9, ...written),
              ],
            },
          }),
        )!
        expect(planBackfill(after, namespace, RULEBOOK)?.patch).toBeUndefined()
        const verdict = decide({ namespace, pod: after.info, old: before.info }, RULEBOOK)
        expect(verdict.refusal).toBeUndefined()
        expect(isNothing(verdict.changes)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('loses nothing that no list of ours names', () => {
    fc.assert(
      fc.property(annotationsOf, labelsOf, policyOf, (annotations, labels, policy) => {
        const found = patched({ annotations, labels }, policy) ?? {}
        const listed = (annotations['iops-limit/defaulted'] ?? '')
          .split(',')
          .map((name) => `iops-limit/${name}`)
        const isOurs = (key: string): boolean =>
          listed.includes(key) ||
          /\/(policy|defaulted|exempt-containers)$|^nvme|^kubediskguard|\/iops$/.test(key)
        for (const key of Object.keys(annotations))
          if (Object.hasOwn(found, key)) expect([key, isOurs(key)]).toEqual([key, true])
      }),
      { numRuns: 1000 },
    )
  })
})
