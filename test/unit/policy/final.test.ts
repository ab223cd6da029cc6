import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../../webhook/policy/decide.ts'
import { decideFinal } from '../../../webhook/policy/final.ts'
import type { PodInfo, Subject } from '../../../webhook/policy/subject.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { changed, subjectOf } from '../../support/subjects.ts'

const CURE =
  'this was changed behind admission: let the webhook that did it leave the keys of iops-limit alone, or try again if the policy has just changed'

const rulebookOf = (...texts: readonly string[]) => ({
  policies: policiesOf(texts.join('')),
  exemptNamespaces: ['kube-system'],
})

const GOLD = policyText(
  'gold',
  '{name: free, selector: "tier=free", exempt: true}',
  '{name: db, selector: "app=db", exemptContainers: {names: ["istio-*"]}, default: {readIOPS: 2000, writeIOPS: 1000}, max: {iops: 5000}, min: {iops: 100}}',
  '{name: one, selector: "app=one", scope: pod, max: {bps: 50Mi}}',
  '{name: web, selector: app, default: {iops: 500}}',
)
const BOOK = rulebookOf(GOLD, policyText('silver', '{name: all, default: {iops: 300}, max: {iops: 600}}'))
const ENFORCED = { enforce: 'gold' }
const DB = { labels: { app: 'db' } }

/** The pod as the mutating webhook leaves it. */
const admitted = (subject: Subject, rulebook = BOOK): Subject => ({
  ...subject,
  pod: { ...subject.pod, annotations: changed(subject.pod.annotations, decide(subject, rulebook).changes) },
})

const DEFAULTED = {
  'iops-limit/read-iops': '2000',
  'iops-limit/write-iops': '1000',
  'iops-limit/policy': 'gold/db',
  'iops-limit/defaulted': 'read-iops,write-iops',
}

/** What a later webhook left of a pod that was admitted with the defaults. */
const spoilt = (change: Readonly<Record<string, string | undefined>>, old?: Partial<PodInfo>) => {
  const entries: readonly (readonly [string, string | undefined])[] = Object.entries({
    ...DEFAULTED,
    ...change,
  })
  const annotations = Object.fromEntries(
    entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
  return decideFinal(subjectOf(ENFORCED, { ...DB, annotations }, old), BOOK)
}

describe('a pod as admission left it', () => {
  it('is allowed, and nothing is missed', () => {
    expect(spoilt({})).toEqual({ kind: 'allowed', policy: 'gold', rule: 'db' })
  })

  it('that no rule matches', () => {
    const marked = admitted(subjectOf(ENFORCED, { annotations: { 'iops-limit/limit': '70000' } }))
    expect(decideFinal(marked, BOOK)).toEqual({ kind: 'allowed', policy: 'gold' })
  })
})

describe('what a later webhook did is refused', () => {
  it.each([
    [
      'a default taken away',
      { 'iops-limit/read-iops': undefined },
      'iops-limit/read-iops is gone where admission wrote "2000"',
    ],
    [
      'the mark taken away',
      { 'iops-limit/policy': undefined },
      'iops-limit/policy is gone where admission wrote "gold/db"',
    ],
    [
      'the mark forged',
      { 'iops-limit/policy': 'mine/free' },
      'iops-limit/policy is "mine/free" where admission wrote "gold/db"',
    ],
    [
      'a container exempted',
      { 'iops-limit/exempt-containers': 'main' },
      'iops-limit/exempt-containers is "main" where admission wrote nothing',
    ],
    [
      'a value claimed for a default',
      {
        'iops-limit/write-iops': undefined,
        'iops-limit/limit': '4000',
        'iops-limit/defaulted': 'read-iops,limit',
      },
      'iops-limit/write-iops is gone where admission wrote "1000"; iops-limit/defaulted is "read-iops,limit" where admission wrote "read-iops,write-iops"',
    ],
  ])('%s', (_, change, refusal) => {
    expect(spoilt(change)).toEqual({
      kind: 'refused',
      policy: 'gold',
      rule: 'db',
      violations: refusal.split('; '),
      refusal: `${refusal}; ${CURE}`,
    })
  })

  it('a value out of bounds, with the sentence of the mutating side', () => {
    expect(spoilt({ 'iops-limit/read-iops': '9000' })).toEqual({
      kind: 'refused',
      policy: 'gold',
      rule: 'db',
      violations: ['iops-limit/read-iops "9000" is above the max of 5000 for readIOPS; write 5000 or less'],
      refusal:
        'policy gold, rule db: iops-limit/read-iops "9000" is above the max of 5000 for readIOPS; write 5000 or less',
    })
  })

  it('a value that cannot be read, where no rule matches', () => {
    const subject = subjectOf(ENFORCED, { annotations: { 'iops-limit/limit': 'x' } })
    expect(decideFinal(subject, BOOK)).toMatchObject({ kind: 'refused', policy: 'gold' })
    expect(decideFinal(subject, BOOK)).not.toHaveProperty('rule')
  })

  it('a mark where no policy is in force', () => {
    expect(
      decideFinal(subjectOf({ warn: 'gold' }, { annotations: { 'iops-limit/policy': 'gold/vip' } }), BOOK),
    ).toEqual({
      kind: 'refused',
      violations: ['iops-limit/policy is "gold/vip" where admission wrote nothing'],
      refusal: `iops-limit/policy is "gold/vip" where admission wrote nothing; ${CURE}`,
    })
  })
})

describe('what passes', () => {
  it('a default of a policy that changed between the two calls', () => {
    expect(spoilt({ 'iops-limit/read-iops': '1500' })).toEqual({ kind: 'missed', policy: 'gold', rule: 'db' })
  })

  it('a pod that admission never saw: the call failed open, and the back-fill comes', () => {
    expect(decideFinal(subjectOf(ENFORCED, DB), BOOK)).toEqual({ kind: 'missed', policy: 'gold', rule: 'db' })
  })

  it('one that was never seen, and lacks nothing', () => {
    expect(decideFinal(subjectOf(ENFORCED, { labels: { tier: 'free' } }), BOOK)).toEqual({
      kind: 'allowed',
      policy: 'gold',
      rule: 'free',
    })
  })

  it('what stood so before the update', () => {
    const before = {
      'iops-limit/policy': 'gold/db',
      'iops-limit/read-iops': '2000',
      'iops-limit/defaulted': 'read-iops',
    }
    const update = subjectOf(
      ENFORCED,
      { labels: { app: 'db', new: 'one' }, annotations: before },
      { ...DB, annotations: before },
    )
    expect(decideFinal(update, BOOK)).toEqual({ kind: 'missed', policy: 'gold', rule: 'db' })
    const worse = subjectOf(ENFORCED, { ...DB, annotations: {} }, { ...DB, annotations: before })
    expect(decideFinal(worse, BOOK)).toMatchObject({ kind: 'refused' })
  })

  it.each([
    ['deleting', { deleting: true }, {}],
    [
      'mirror-pod',
      { annotations: { 'kubernetes.io/config.mirror': 'x', 'iops-limit/policy': 'x' } },
      undefined,
    ],
    ['unchanged', { annotations: { 'iops-limit/limit': 'x' } }, { annotations: { 'iops-limit/limit': 'x' } }],
  ] as const)('%s', (aside, pod, old) => {
    expect(decideFinal(subjectOf(ENFORCED, pod, old), BOOK)).toEqual({ kind: 'allowed', aside })
  })

  it('a pod of a namespace without policy', () => {
    const held = { kind: 'allowed', aside: 'not-enforced' }
    expect(decideFinal(subjectOf({}, { annotations: { 'iops-limit/limit': '5' } }), BOOK)).toEqual(held)
  })
})

const texts = fc.constantFrom(
  '0',
  'max',
  '2',
  '100',
  '500',
  '600',
  '2000',
  '5000',
  '70000',
  '50Mi',
  'x',
  'pod',
  'container',
)
const keys = fc.constantFrom(
  ...['limit', 'read-iops', 'write-iops', 'bps', 'read-bps', 'scope', 'other'].map(
    (name) => `iops-limit/${name}`,
  ),
  ...['nvme-iops', 'nvme-iops-read', 'kubediskguard.io/bps', 'foreign'],
)
const written = fc.dictionary(keys, texts, { maxKeys: 4 })
const forged = fc.record(
  {
    'iops-limit/policy': fc.constantFrom('gold/db', 'gold/-', 'silver/all', 'mine/free', ''),
    'iops-limit/defaulted': fc.constantFrom(
      'read-iops',
      'limit,read-iops',
      'read-iops,write-iops',
      'scope',
      '',
    ),
    'iops-limit/exempt-containers': fc.constantFrom('main', 'istio-proxy', ''),
    'container.iops-limit/main': fc.constantFrom('read-iops=800', 'read-iops=8000', 'x'),
  },
  { requiredKeys: [] },
)
const pods = fc.record({
  labels: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('db', 'one', 'web', 'free')),
  annotations: fc.tuple(written, forged).map(([own, mark]) => ({ ...own, ...mark })),
  containers: fc.constantFrom(
    [{ name: 'main', image: 'i' }],
    [
      { name: 'main', image: 'i' },
      { name: 'istio-proxy', image: 'i' },
    ],
  ),
})
/** What the API server's books may say, and more. */
const edited = fc.option(
  fc.uniqueArray(keys, { maxLength: 3 }).map((names) => new Set(names)),
  { nil: new Set<string>() },
)
const modes = fc.record(
  { enforce: fc.constantFrom('gold', 'silver', 'none'), warn: fc.constantFrom('gold', 'silver') },
  { requiredKeys: [] },
)

describe('always', () => {
  it('what the mutating side allowed is allowed, and lacks nothing; what it refused is refused', () => {
    fc.assert(
      fc.property(
        modes,
        fc.record({ pod: pods, edited }).map((given) => ({ ...given.pod, edited: given.edited })),
        fc.option(pods, { nil: undefined }),
        fc.boolean(),
        (labels, pod, before, isAdmitted) => {
          const old = before && (isAdmitted ? admitted(subjectOf(labels, before)).pod : before)
          const subject = subjectOf(labels, pod, old)
          const isAllowed = decide(subject, BOOK).allowed
          expect(decideFinal(admitted(subject), BOOK).kind).toBe(isAllowed ? 'allowed' : 'refused')
        },
      ),
      { numRuns: 20_000 },
    )
  })

  it('no value stands out of bounds: not on a pod that any later webhook changed', () => {
    fc.assert(
      fc.property(pods, pods, (pod, later) => {
        const first = admitted(subjectOf(ENFORCED, pod))
        const spoiled = { ...first, pod: { ...first.pod, annotations: later.annotations } }
        const kind = decideFinal(spoiled, BOOK).kind
        if (!decide(spoiled, BOOK).allowed) expect(kind).toBe('refused')
        else expect(['allowed', 'missed', 'refused']).toContain(kind)
      }),
      { numRuns: 5000 },
    )
  })
})
