import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../../webhook/policy/decide.ts'
import type { PodInfo } from '../../../webhook/policy/subject.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { changed, subjectOf } from '../../support/subjects.ts'

const POLICIES = policiesOf(
  [
    policyText(
      'gold',
      '{name: databases, selector: "app in (pg,mysql)", exemptContainers: {names: [istio-proxy, "*-exporter"], images: ["*/pause:*"], nameRegexes: ["debug-[0-9]+"]}, default: {readIOPS: 2000, writeIOPS: 1000, readBPS: 200Mi}, max: {iops: 5000}, min: {readIOPS: 100}}',
      '{name: system, selector: "tier=system", exempt: true}',
      '{name: shared, selector: "shape=pod", scope: pod, max: {iops: 900}}',
      '{name: each, selector: "shape=container", scope: container, default: {iops: 50}}',
      '{name: rest, selector: "!free", default: {iops: 500}, max: {iops: 1000}}',
    ),
    policyText('silver', '{name: all, default: {iops: 300}, max: {iops: 400}}'),
    policyText('open', '{name: all, default: {iops: 300}}').replace(
      'spec: {',
      'spec: {exemptNamespaces: ["te?m", other], ',
    ),
  ].join(''),
)
const RULEBOOK = { policies: POLICIES, exemptNamespaces: ['kube-system'] }

const ENFORCE = { enforce: 'gold' }

/** A decision under gold, on a pod with these annotations and labels. */
const decided = (
  annotations: PodInfo['annotations'],
  labels: PodInfo['labels'] = {},
  rest: Partial<PodInfo> = {},
) => decide(subjectOf(ENFORCE, { annotations, labels, ...rest }), RULEBOOK)

const stored = (
  annotations: PodInfo['annotations'],
  labels: PodInfo['labels'] = {},
  rest: Partial<PodInfo> = {},
) => changed(annotations, decided(annotations, labels, rest).changes)

const updated = (
  annotations: PodInfo['annotations'],
  before: PodInfo['annotations'],
  labels: PodInfo['labels'] = {},
) => decide(subjectOf(ENFORCE, { annotations, labels }, { annotations: before, labels }), RULEBOOK)

describe('defaulting', () => {
  it('fills in what the user has not decided, in the keys of one direction, and says so', () => {
    expect(stored({})).toEqual({
      'iops-limit/read-iops': '500',
      'iops-limit/write-iops': '500',
      'iops-limit/policy': 'gold/rest',
      'iops-limit/defaulted': 'read-iops,write-iops',
    })
  })

  it('keeps what the user wrote, to the letter', () => {
    expect(stored({ 'iops-limit/write-iops': '0700', 'other.io/key': 'x' })).toEqual({
      'iops-limit/write-iops': '0700',
      'other.io/key': 'x',
      'iops-limit/read-iops': '500',
      'iops-limit/policy': 'gold/rest',
      'iops-limit/defaulted': 'read-iops',
    })
  })

  it('takes the key of both directions as a decision on both', () => {
    expect(stored({ 'iops-limit/limit': '700' })).toEqual({
      'iops-limit/limit': '700',
      'iops-limit/policy': 'gold/rest',
    })
  })

  it('fills in the max where the rule has no default, so that nothing escapes it', () => {
    expect(stored({}, { shape: 'pod' })).toMatchObject({
      'iops-limit/read-iops': '900',
      'iops-limit/write-iops': '900',
    })
  })

  it('writes the scope only where it is not pod', () => {
    expect(stored({}, { shape: 'container' })).toMatchObject({
      'iops-limit/scope': 'container',
      'iops-limit/defaulted': 'read-iops,write-iops,scope',
    })
    expect(stored({}, { shape: 'pod' })).not.toHaveProperty(['iops-limit/scope'])
    expect(stored({ 'iops-limit/scope': 'pod' }, { shape: 'container' })).toMatchObject({
      'iops-limit/scope': 'pod',
      'iops-limit/defaulted': 'read-iops,write-iops',
    })
  })
})

describe('rules', () => {
  it('the first whose selector matches decides', () => {
    expect(decided({}, { app: 'pg', tier: 'system' })).toMatchObject({ policy: 'gold', rule: 'databases' })
    expect(decided({}, { app: 'web', tier: 'system' })).toMatchObject({ policy: 'gold', rule: 'system' })
    expect(decided({}, { app: 'web' })).toMatchObject({ policy: 'gold', rule: 'rest' })
  })

  it('without one that matches, a pod is let alone, but its own limits are admitted', () => {
    expect(decided({}, { free: '' })).toMatchObject({
      allowed: true,
      policy: 'gold',
      changes: { set: {}, remove: [] },
    })
    expect(decided({}, { free: '' }).rule).toBeUndefined()
    expect(stored({ 'iops-limit/limit': '100' }, { free: '' })).toEqual({
      'iops-limit/limit': '100',
      'iops-limit/policy': 'gold/-',
    })
    expect(decided({ 'iops-limit/limit': 'x' }, { free: '' }).refusal).toBe(
      'policy gold: iops-limit/limit: "x" is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit',
    )
  })

  it('that exempt leave the pod as it is, aliases included, without the mark', () => {
    const annotations = { 'iops-limit/limit': 'nonsense', 'nvme-iops': '5', 'iops-limit/iops': '6' }
    const verdict = decided({ ...annotations, 'iops-limit/policy': 'gold/rest' }, { tier: 'system' })
    expect(verdict.changes).toEqual({ set: {}, remove: ['iops-limit/policy'] })
    expect(verdict.warnings).toEqual([
      'iops-limit/policy is written by admission only: the given value was dropped',
      'policy gold, rule system exempts this pod: its limits are not enforced',
    ])
    expect(decided({}, { tier: 'system' }).warnings).toEqual([])
  })
})

describe('bounds', () => {
  it.each([
    [
      'above',
      { 'iops-limit/read-iops': '1001' },
      'iops-limit/read-iops "1001" is above the max of 1000 for readIOPS; write 1000 or less',
    ],
    [
      'above in both directions',
      { 'iops-limit/limit': '1001' },
      'iops-limit/limit "1001" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
    ],
    [
      'unlimited',
      { 'iops-limit/write-iops': '0' },
      'iops-limit/write-iops "0" is above the max of 1000 for writeIOPS; write 1000 or less',
    ],
    [
      'unlimited in the other word',
      { 'iops-limit/write-iops': 'max' },
      'iops-limit/write-iops "max" is above the max of 1000 for writeIOPS; write 1000 or less',
    ],
    ['not a value', { 'iops-limit/read-iops': '10Mi' }, 'iops-limit/read-iops: "10Mi" '],
    [
      'an override',
      { 'container.iops-limit/main': 'read-iops=2000' },
      'container.iops-limit/main "read-iops=2000" is above the max of 1000 for readIOPS; write 1000 or less',
    ],
    [
      'an override that is none',
      { 'container.iops-limit/main': 'read=5' },
      'container.iops-limit/main: "read" is not a limit; write one of limit, read-iops, write-iops, bps, read-bps, write-bps',
    ],
    [
      'a scope that is none',
      { 'iops-limit/scope': 'node' },
      'iops-limit/scope: "node" is not a scope; write "pod" (one shared limit) or "container" (each its own)',
    ],
  ])('refuse what is %s, and change nothing', (_, annotations, sentence) => {
    const verdict = decided(annotations)
    expect(verdict).toMatchObject({
      allowed: false,
      policy: 'gold',
      rule: 'rest',
      changes: { set: {}, remove: [] },
    })
    expect(verdict.refusal).toContain(`policy gold, rule rest: ${sentence}`)
    expect(verdict.auditAnnotations).toEqual({ policy: 'gold/rest', violations: verdict.refusal })
  })

  it('tell two values of one override, and two mistakes in one, apart', () => {
    expect(decided({ 'container.iops-limit/main': 'read-iops=2000,write-iops=3000' }).refusal).toBe(
      'policy gold, rule rest: container.iops-limit/main "read-iops=2000" is above the max of 1000 for readIOPS; write 1000 or less; container.iops-limit/main "write-iops=3000" is above the max of 1000 for writeIOPS; write 1000 or less',
    )
    expect(decided({ 'container.iops-limit/main': 'x,y' }).refusal?.match(/is not KEY=VALUE/g)).toHaveLength(
      2,
    )
  })

  it('of the minimum hold too, and unlimited is above every minimum', () => {
    expect(decided({ 'iops-limit/read-iops': '99' }, { app: 'pg' }).refusal).toBe(
      'policy gold, rule databases: iops-limit/read-iops "99" is below the min of 100 for readIOPS; write 100 or more',
    )
    expect(decided({ 'iops-limit/read-bps': 'max' }, { app: 'pg' }).allowed).toBe(true)
  })

  it('are told all at once', () => {
    const { refusal, violations } = decided(
      {
        'iops-limit/read-iops': 'x',
        'iops-limit/write-iops': '6000',
        'container.iops-limit/main': 'limit=7000',
      },
      { app: 'pg' },
    )
    expect(violations.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'invalid iops-limit/read-iops',
      'above-max iops-limit/write-iops',
      'above-max container.iops-limit/main',
      'above-max container.iops-limit/main',
    ])
    expect(refusal?.split('; ').filter((part) => part.includes('above the max'))).toHaveLength(2)
  })

  it('hold a pod to a scope that the rule itself states, unless exempt containers make it container', () => {
    expect(decided({ 'iops-limit/scope': 'container' }, { shape: 'pod' }).refusal).toBe(
      'policy gold, rule shared: iops-limit/scope "container" would give each container the whole limit, and the rule\'s scope is pod; remove it or write "pod"',
    )
    expect(decided({ 'iops-limit/scope': 'container' }).allowed).toBe(true)
  })

  it('compare exactly beyond 2^53', () => {
    const rulebook = {
      policies: policiesOf(policyText('p', '{name: r, max: {bps: 9007199254740993}}')),
      exemptNamespaces: [],
    }
    const at = (value: string) =>
      decide(subjectOf({ enforce: 'p' }, { annotations: { 'iops-limit/bps': value } }), rulebook).allowed
    expect([at('9007199254740993'), at('9007199254740994')]).toEqual([true, false])
  })
})

describe('exempt containers', () => {
  const containers = [
    { name: 'main', image: 'postgres:17' },
    { name: 'node-exporter', image: 'a' },
    { name: 'istio-proxy', image: 'b' },
    { name: 'debug-7', image: 'c' },
    { name: 'x', image: 'registry.test/pause:3.9' },
    { name: 'my-istio-proxy', image: 'pause' },
  ]

  it('are listed, sorted, and make the scope container', () => {
    expect(stored({}, { app: 'pg' }, { containers })).toMatchObject({
      'iops-limit/exempt-containers': 'debug-7,istio-proxy,node-exporter,x',
      'iops-limit/scope': 'container',
    })
  })

  it('make a pod scope and their own overrides idle, which is said', () => {
    expect(
      decided(
        { 'iops-limit/scope': 'pod', 'container.iops-limit/istio-proxy': 'limit=500' },
        { app: 'pg' },
        { containers },
      ).warnings,
    ).toEqual([
      'container.iops-limit/istio-proxy limits nothing: the container is exempt',
      'iops-limit/scope "pod" cannot hold: exempt containers (debug-7, istio-proxy, node-exporter, x) make it container',
    ])
  })
})

describe('what looks odd is said', () => {
  it.each([
    [
      { 'container.iops-limit/ghost': 'limit=5' },
      'container.iops-limit/ghost limits nothing: the pod has no container "ghost"',
    ],
    [
      { 'iops-limit/read-ipos': '5' },
      'iops-limit/read-ipos is not a key of iops-limit and limits nothing; known: iops-limit/limit, iops-limit/read-iops, iops-limit/write-iops, iops-limit/bps, iops-limit/read-bps, iops-limit/write-bps, iops-limit/scope',
    ],
    [{ 'nvme-iops': '300' }, 'nvme-iops is a key of the older service: rewritten to iops-limit/limit'],
    [
      { 'kubediskguard.io/read-iops': '300', 'iops-limit/read-iops': '200' },
      'kubediskguard.io/read-iops "300" is dropped: iops-limit/read-iops says "200"',
    ],
    [
      { 'kubediskguard.io/iops': '300', 'io-limit/iops': '400' },
      'io-limit/iops "400" is dropped: kubediskguard.io/iops says "300"',
    ],
  ])('%j: %s', (annotations, warning) => {
    expect(decided(annotations).warnings).toContain(warning)
  })

  it('rewrites aliases to the canonical keys and drops them', () => {
    expect(
      stored({ 'kubediskguard.io/read-iops': '300', 'io-limit/write-iops': '400', 'nvme-bps': '1048576' }),
    ).toEqual({
      'iops-limit/read-iops': '300',
      'iops-limit/write-iops': '400',
      'iops-limit/bps': '1048576',
      'iops-limit/policy': 'gold/rest',
    })
  })

  it('lets an alias beat a default of its own, since a user wrote it', () => {
    const before = stored({})
    const asked = { ...before, 'nvme-iops-read': '600' }
    expect(changed(asked, updated(asked, before).changes)).toEqual({
      ...before,
      'iops-limit/read-iops': '600',
      'iops-limit/defaulted': 'write-iops',
    })
    expect(updated(asked, before).warnings).toEqual([
      'nvme-iops-read is a key of the older service: rewritten to iops-limit/read-iops',
    ])
  })

  it('holds aliases to the bounds, under the canonical key', () => {
    expect(decided({ 'nvme-iops': '3000' }).refusal).toBe(
      'policy gold, rule rest: nvme-iops (as iops-limit/limit) "3000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
    )
    expect(decided({ 'kubediskguard.io/read-iops': 'x', 'nvme-bps': '1' }, { app: 'pg' }).refusal).toBe(
      'policy gold, rule databases: kubediskguard.io/read-iops (as iops-limit/read-iops): "x" is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit; nvme-bps (as iops-limit/bps): "1" is below what the kernel takes; write 2 or more, or "max" for no limit',
    )
  })

  it('names the canonical key where the user wrote that too', () => {
    expect(decided({ 'iops-limit/limit': '3000', 'nvme-iops': '3000' }).refusal).toMatch(
      /^policy gold, rule rest: iops-limit\/limit "3000" is above/,
    )
  })

  it('names in the audit log, too, what the user wrote', () => {
    expect(
      decide(subjectOf({ audit: 'silver' }, { annotations: { 'nvme-iops': '450' } }), RULEBOOK)
        .auditAnnotations,
    ).toMatchObject({
      'audit-violations':
        'nvme-iops (as iops-limit/limit) "450" is above the max of 400 for readIOPS and writeIOPS; write 400 or less',
    })
  })

  it('tells of keys that mean nothing, and of older ones, where a policy is only warned of', () => {
    const annotations = { 'iops-limit/read-ipos': '5', 'nvme-iops': '450', 'io-limit/iops': '400' }
    const { warnings, changes } = decide(subjectOf({ warn: 'silver' }, { annotations }), RULEBOOK)
    expect(changes).toEqual({ set: {}, remove: [] })
    expect(warnings).toEqual([
      'iops-limit/read-ipos is not a key of iops-limit and limits nothing; known: iops-limit/limit, iops-limit/read-iops, iops-limit/write-iops, iops-limit/bps, iops-limit/read-bps, iops-limit/write-bps, iops-limit/scope',
      'io-limit/iops is a key of the older service: it would be rewritten to iops-limit/limit',
      'nvme-iops "450" would be dropped: io-limit/iops says "400"',
    ])
    const exempt = { annotations, labels: { tier: 'system' } }
    expect(decide(subjectOf({ warn: 'gold' }, exempt), RULEBOOK).warnings).toEqual([])
  })

  it('says how many containers there was too much to compare', () => {
    const containers = Array.from({ length: 600 }, (_, index) => ({
      name: `c${index}`,
      image: String(index).padStart(512, 'x'),
    }))
    const { warnings } = decided({}, { app: 'pg' }, { containers: [...containers] })
    expect(warnings).toEqual([])
    const rulebook = {
      ...RULEBOOK,
      policies: policiesOf(
        policyText('gold', '{name: r, max: {iops: 5}, exemptContainers: {imageRegexes: ["(?:a?){200}b"]}}'),
      ),
    }
    expect(decide(subjectOf(ENFORCE, { containers }), rulebook).warnings).toEqual([
      "591 containers were not compared with the rule's exemptContainers and are limited: write fewer containers or shorter images",
    ])
  })

  it('gives no mark for keys that limit nothing', () => {
    const free = { free: '' }
    for (const annotations of [{ 'iops-limit/read-ipos': '5' }, { 'iops-limit/scope': 'container' }])
      expect(decided(annotations, free).changes).toEqual({ set: {}, remove: [] })
    for (const annotations of [{ 'iops-limit/limit': '5' }, { 'container.iops-limit/main': 'limit=5' }])
      expect(decided(annotations, free).changes).toEqual({
        set: { 'iops-limit/policy': 'gold/-' },
        remove: [],
      })
  })
})

describe('what only admission writes', () => {
  it('cannot be forged on CREATE', () => {
    const annotations = {
      'iops-limit/policy': 'gold/vip',
      'iops-limit/defaulted': 'read-iops',
      'iops-limit/exempt-containers': 'main',
      'iops-limit/read-iops': '700',
    }
    expect(stored(annotations)).toEqual({
      'iops-limit/read-iops': '500',
      'iops-limit/write-iops': '500',
      'iops-limit/policy': 'gold/rest',
      'iops-limit/defaulted': 'read-iops,write-iops',
    })
    expect(decided(annotations).warnings).toEqual([
      'iops-limit/policy is written by admission only: the given value was dropped',
      'iops-limit/defaulted is written by admission only: the given value was dropped',
      'iops-limit/exempt-containers is written by admission only: the given value was dropped',
    ])
  })

  it('is written anew on CREATE where the pod is a copy of an admitted one', () => {
    const copied = stored({}, { shape: 'container' })
    expect(copied).toMatchObject({ 'iops-limit/defaulted': 'read-iops,write-iops,scope' })
    expect(stored({ ...copied, 'iops-limit/read-bps': '7Mi' }, { shape: 'pod' })).toEqual({
      'iops-limit/read-iops': '900',
      'iops-limit/write-iops': '900',
      'iops-limit/read-bps': '7Mi',
      'iops-limit/policy': 'gold/shared',
      'iops-limit/defaulted': 'read-iops,write-iops',
    })
    const tooMuch = { 'iops-limit/read-iops': '99999', 'iops-limit/defaulted': 'read-iops' }
    expect(decided(tooMuch)).toMatchObject({ allowed: true })
    expect(stored(tooMuch)).toEqual(stored({}))
    expect(stored({ ...tooMuch, 'nvme-iops-read': '300' })).toMatchObject({
      'iops-limit/read-iops': '300',
      'iops-limit/defaulted': 'write-iops',
    })
    expect(stored({ ...copied }, { tier: 'system' })).toEqual({})
  })

  it('is written anew where another webhook relabels the pod between two passes', () => {
    for (const old of [undefined, { annotations: {}, labels: {} }]) {
      const pass = (annotations: PodInfo['annotations'], labels: PodInfo['labels']) => {
        const verdict = decide(subjectOf(ENFORCE, { annotations, labels }, old), RULEBOOK)
        expect(verdict.refusal).toBeUndefined()
        return changed(annotations, verdict.changes)
      }
      const first = pass({ 'iops-limit/read-bps': '7Mi' }, { app: 'pg' })
      expect(pass(first, { shape: 'pod' })).toEqual({
        'iops-limit/read-iops': '900',
        'iops-limit/write-iops': '900',
        'iops-limit/read-bps': '7Mi',
        'iops-limit/policy': 'gold/shared',
        'iops-limit/defaulted': 'read-iops,write-iops',
      })
    }
  })

  it('cannot be forged on UPDATE, nor taken away', () => {
    const before = stored({})
    for (const forged of [
      { ...before, 'iops-limit/policy': 'gold/vip' },
      { ...before, 'iops-limit/exempt-containers': 'main' },
      Object.fromEntries(Object.entries(before).filter(([key]) => key !== 'iops-limit/policy')),
      Object.fromEntries(Object.entries(before).filter(([key]) => key !== 'iops-limit/defaulted')),
    ]) {
      expect(changed(forged, updated(forged, before).changes)).toEqual(before)
    }
  })

  it('cannot be forged where no policy is enforced; what stood there stays', () => {
    for (const labels of [{}, { warn: 'gold' }, { enforce: 'nowhere' }, { enforce: 'open' }]) {
      const forged = { 'iops-limit/policy': 'gold/rest', 'iops-limit/limit': '9' }
      const created = decide(subjectOf(labels, { annotations: forged }), RULEBOOK)
      expect(changed(forged, created.changes)).toEqual({ 'iops-limit/limit': '9' })
      expect(created.allowed).toBe(true)
      const old = { 'iops-limit/policy': 'gold/rest' }
      const tampered = { 'iops-limit/policy': 'gold/vip', 'iops-limit/defaulted': 'limit' }
      expect(
        changed(
          tampered,
          decide(subjectOf(labels, { annotations: tampered }, { annotations: old }), RULEBOOK).changes,
        ),
      ).toEqual(old)
      expect(decide(subjectOf(labels, { annotations: {} }, { annotations: old }), RULEBOOK).changes).toEqual({
        set: {},
        remove: [],
      })
    }
  })
})

describe('UPDATE is a ratchet', () => {
  const admitted = { 'iops-limit/limit': '4000', 'iops-limit/policy': 'gold/rest' }

  it('passes a pod that is being deleted, whatever it says', () => {
    const verdict = decide(
      subjectOf(ENFORCE, { annotations: { 'iops-limit/limit': '9999' }, deleting: true }, {}),
      RULEBOOK,
    )
    expect(verdict).toMatchObject({ allowed: true, aside: 'deleting', changes: { set: {}, remove: [] } })
  })

  it('believes no deletionTimestamp on CREATE', () => {
    const created = decided({ 'iops-limit/limit': '9999' }, {}, { deleting: true })
    expect(created).toMatchObject({
      allowed: false,
      violations: [{ kind: 'above-max' }, { kind: 'above-max' }],
    })
  })

  it('finds the exempt containers again where an image changes, and never refuses for it', () => {
    const images = (image: string) => ({ containers: [{ name: 'main', image }] })
    const before = stored({}, { app: 'pg' }, images('reg/pause:1'))
    expect(before).toMatchObject({ 'iops-limit/exempt-containers': 'main', 'iops-limit/scope': 'container' })
    const labels = { app: 'pg' }
    const update = (now: PodInfo, old: PodInfo) =>
      decide({ ...subjectOf(ENFORCE, {}), pod: now, old }, RULEBOOK)
    const pod = (annotations: PodInfo['annotations'], image: string): PodInfo => ({
      labels,
      annotations,
      deleting: false,
      ...images(image),
    })
    const changedImage = update(pod(before, 'postgres:18'), pod(before, 'reg/pause:1'))
    const after = changed(before, changedImage.changes)
    expect(after).toEqual(stored({}, labels, images('postgres:18')))
    const back = update(pod(after, 'reg/pause:1'), pod(after, 'postgres:18'))
    expect(changed(after, back.changes)).toEqual(before)
    const bad = { 'iops-limit/limit': '99999', 'iops-limit/bps': 'x' }
    expect(update(pod(bad, 'reg/pause:1'), pod(bad, 'postgres:18'))).toMatchObject({ allowed: true })
    const more = { ...pod(before, 'reg/pause:1'), containers: [] }
    expect(update(pod(before, 'reg/pause:1'), more)).toMatchObject({ allowed: true, rule: 'databases' })
    expect(update(pod(before, 'reg/pause:1'), pod(before, 'reg/pause:1')).aside).toBe('unchanged')
  })

  it('passes a number in place of what could not be read, unless it lets through more than before', () => {
    const key = 'iops-limit/read-iops'
    const unreadable = { [key]: 'x', 'iops-limit/policy': 'gold/rest' }
    expect(updated({ ...unreadable, [key]: '9000' }, unreadable)).toMatchObject({ allowed: true })
    expect(updated({ ...unreadable, [key]: '9000' }, unreadable).warnings).toEqual([
      'policy gold, rule rest: iops-limit/read-iops "9000" is above the max of 1000 for readIOPS; write 1000 or less (allowed: this update did not make it worse)',
    ])
    const held = { ...unreadable, 'iops-limit/limit': '400' }
    expect(updated({ ...held, [key]: '9000' }, held)).toMatchObject({ allowed: false })
    const own = 'container.iops-limit/main'
    const override = { ...stored({}), [own]: 'read-iops=x,write-iops=9000' }
    expect(updated({ ...override, [own]: 'write-iops=9000' }, override)).toMatchObject({ allowed: false })
    const free = { [own]: 'read-iops=x,write-iops=9000' }
    expect(updated({ [own]: 'write-iops=9000' }, free)).toMatchObject({ allowed: true })
    const low = { [key]: 'x' }
    expect(updated({ [key]: '50' }, low, { app: 'pg' })).toMatchObject({ allowed: false })
  })

  it('keeps the keys of admission out of reach on a pod that is being deleted', () => {
    const forged = { ...admitted, 'iops-limit/exempt-containers': 'main' }
    const verdict = decide(
      subjectOf(ENFORCE, { annotations: forged, deleting: true }, { annotations: admitted, deleting: true }),
      RULEBOOK,
    )
    expect(verdict).toMatchObject({ allowed: true, aside: 'deleting' })
    expect(changed(forged, verdict.changes)).toEqual(admitted)
  })

  it('passes a pod whose limits did not change, though they are out of bounds by now', () => {
    const verdict = decide(
      subjectOf(ENFORCE, { annotations: { ...admitted, other: 'new' } }, { annotations: admitted }),
      RULEBOOK,
    )
    expect(verdict).toMatchObject({
      allowed: true,
      aside: 'unchanged',
      changes: { set: {}, remove: [] },
      warnings: [],
    })
  })

  it('passes what gets better, with a warning while it is not good', () => {
    const verdict = updated({ ...admitted, 'iops-limit/limit': '3000' }, admitted)
    expect(verdict.allowed).toBe(true)
    expect(verdict.warnings).toEqual([
      'policy gold, rule rest: iops-limit/limit "3000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less (allowed: this update did not make it worse)',
    ])
  })

  it.each([
    ['is made worse', { 'iops-limit/limit': '4001' }],
    ['is made unlimited', { 'iops-limit/limit': 'max' }],
    ['is made too small', { 'iops-limit/limit': '4000', 'iops-limit/bps': '1' }],
    ['is made unreadable', { 'iops-limit/limit': 'x' }],
    [
      'is new in another container',
      { 'iops-limit/limit': '4000', 'container.iops-limit/main': 'limit=2000' },
    ],
    ['is new in a dimension', { 'iops-limit/limit': '4000', 'iops-limit/read-iops': '5000' }],
  ])('refuses what %s', (_, limits) => {
    expect(updated({ ...admitted, ...limits }, admitted).allowed).toBe(false)
  })

  it('refuses only what is new, and says only that', () => {
    const verdict = updated({ ...admitted, 'container.iops-limit/main': 'read-iops=2000' }, admitted)
    expect(verdict.refusal).toBe(
      'policy gold, rule rest: container.iops-limit/main "read-iops=2000" is above the max of 1000 for readIOPS; write 1000 or less',
    )
  })

  it('sees the same value under another key as the same', () => {
    expect(
      updated({ 'iops-limit/read-iops': '4000', 'iops-limit/write-iops': '900' }, admitted).allowed,
    ).toBe(true)
  })

  it('keeps an unreadable value that stood there before', () => {
    const before = { 'iops-limit/bps': 'fast' }
    expect(updated({ ...before, 'iops-limit/limit': '100' }, before)).toMatchObject({ allowed: true })
  })

  it('holds a pod to the scope and the minimum in the same way', () => {
    const loose = { 'iops-limit/scope': 'container' }
    expect(updated({ ...loose, 'iops-limit/limit': '9' }, loose, { shape: 'pod' }).allowed).toBe(true)
    expect(updated({ ...loose, 'iops-limit/limit': '9' }, {}, { shape: 'pod' }).allowed).toBe(false)
    const small = { 'iops-limit/read-iops': '50' }
    expect(updated({ 'iops-limit/read-iops': '60' }, small, { app: 'pg' }).allowed).toBe(true)
    expect(updated({ 'iops-limit/read-iops': '40' }, small, { app: 'pg' }).allowed).toBe(false)
  })

  it('passes a pod that changed labels into a stricter rule, and warns', () => {
    const old = {
      labels: { app: 'pg' },
      annotations: { 'iops-limit/limit': '4000', 'iops-limit/policy': 'gold/databases' },
    }
    const verdict = decide(subjectOf(ENFORCE, { ...old, labels: { app: 'web' } }, old), RULEBOOK)
    expect(verdict).toMatchObject({
      allowed: true,
      rule: 'rest',
      changes: { set: { 'iops-limit/policy': 'gold/rest' } },
    })
    expect(verdict.warnings).toHaveLength(1)
  })

  it("refreshes its own defaults when another rule comes to decide, and keeps the user's", () => {
    const before = stored({ 'iops-limit/write-iops': '400' })
    const verdict = decide(
      subjectOf(ENFORCE, { annotations: before, labels: { app: 'pg' } }, { annotations: before }),
      RULEBOOK,
    )
    expect(changed(before, verdict.changes)).toEqual({
      'iops-limit/read-iops': '2000',
      'iops-limit/write-iops': '400',
      'iops-limit/read-bps': '200Mi',
      'iops-limit/policy': 'gold/databases',
      'iops-limit/defaulted': 'read-iops,read-bps',
    })
  })

  it('fills in again what a user takes away, and lets a user take a default over', () => {
    const before = stored({})
    const removed = Object.fromEntries(
      Object.entries(before).filter(([key]) => key !== 'iops-limit/read-iops'),
    )
    expect(changed(removed, updated(removed, before).changes)).toEqual(before)
    const taken = { ...before, 'iops-limit/read-iops': '600' }
    expect(changed(taken, updated(taken, before).changes)).toEqual({
      ...taken,
      'iops-limit/defaulted': 'write-iops',
    })
  })

  it("never touches a static pod's mirror", () => {
    expect(decided({ 'kubernetes.io/config.mirror': 'abc', 'iops-limit/limit': 'x' })).toMatchObject({
      allowed: true,
      aside: 'mirror-pod',
    })
    const mirror = { 'kubernetes.io/config.mirror': 'abc' }
    expect(updated({ ...mirror, 'iops-limit/limit': 'x' }, mirror)).toMatchObject({ aside: 'mirror-pod' })
    // Nobody becomes one by an update.
    expect(updated({ ...mirror, 'iops-limit/limit': 'x' }, {})).toMatchObject({ allowed: false })
  })
})

describe('namespaces', () => {
  it('that have not opted in are let alone', () => {
    expect(decide(subjectOf({}, { annotations: { 'iops-limit/limit': 'x' } }), RULEBOOK)).toEqual({
      allowed: true,
      aside: 'not-enforced',
      changes: { set: {}, remove: [] },
      defaulted: [],
      violations: [],
      warnings: [],
      auditAnnotations: {},
    })
  })

  it('that name an unknown policy are let alone, with a warning and a trace in the audit log', () => {
    const verdict = decide(subjectOf({ enforce: 'glod' }, {}), RULEBOOK)
    const warning =
      'namespace label iops-limit/enforce=glod: there is no policy of that name; known: gold, silver, open'
    expect(verdict).toMatchObject({
      allowed: true,
      warnings: [warning],
      auditAnnotations: { error: warning },
    })
    expect(
      decide(subjectOf({ enforce: 'x' }, {}), { policies: new Map(), exemptNamespaces: [] }).warnings,
    ).toEqual(['namespace label iops-limit/enforce=x: there is no policy of that name; known: none'])
  })

  it('that are exempt, by the policy or for good, are let alone with a warning', () => {
    expect(decide(subjectOf({ enforce: 'open' }, {}), RULEBOOK)).toMatchObject({
      changes: { set: {} },
      warnings: ['namespace team is exempt: policy open, which its labels name, has no effect'],
    })
    expect(decide(subjectOf(ENFORCE, {}), { ...RULEBOOK, exemptNamespaces: ['team'] }).warnings).toEqual([
      'namespace team is exempt: policy gold, which its labels name, has no effect',
    ])
  })

  it('are warned of what a policy that is not enforced would do', () => {
    const verdict = decide(
      subjectOf({ enforce: 'gold', warn: 'silver' }, { annotations: { 'iops-limit/read-iops': '450' } }),
      RULEBOOK,
    )
    expect(verdict).toMatchObject({ allowed: true, rule: 'rest' })
    expect(verdict.warnings).toEqual([
      'policy silver, rule all would refuse: iops-limit/read-iops "450" is above the max of 400 for readIOPS; write 400 or less',
      'policy silver, rule all would set write-iops=300',
    ])
    expect(decide(subjectOf({ warn: 'silver' }, {}), RULEBOOK)).toMatchObject({
      changes: { set: {}, remove: [] },
      warnings: ['policy silver, rule all would set read-iops=300, write-iops=300'],
    })
  })

  it('get the same as audit annotations, and nothing twice', () => {
    expect(
      decide(subjectOf({ audit: 'silver' }, { annotations: { 'iops-limit/limit': '450' } }), RULEBOOK)
        .auditAnnotations,
    ).toEqual({
      'audit-policy': 'silver/all',
      'audit-violations':
        'iops-limit/limit "450" is above the max of 400 for readIOPS and writeIOPS; write 400 or less',
    })
    expect(decide(subjectOf({ audit: 'silver' }, {}), RULEBOOK).auditAnnotations).toEqual({
      'audit-policy': 'silver/all',
      'audit-defaults': 'read-iops=300, write-iops=300',
    })
    expect(decide(subjectOf({ audit: 'gold' }, { labels: { free: '' } }), RULEBOOK).auditAnnotations).toEqual(
      { 'audit-policy': 'gold/-' },
    )
    expect(decide(subjectOf({ enforce: 'gold', warn: 'gold', audit: 'gold' }, {}), RULEBOOK)).toMatchObject({
      warnings: [],
      auditAnnotations: { policy: 'gold/rest', defaulted: 'read-iops=500, write-iops=500' },
    })
    expect(decide(subjectOf({ warn: 'no', audit: 'no' }, {}), RULEBOOK)).toMatchObject({
      warnings: [
        'namespace label iops-limit/warn=no: there is no policy of that name; known: gold, silver, open',
      ],
      auditAnnotations: {
        'audit-error':
          'namespace label iops-limit/audit=no: there is no policy of that name; known: gold, silver, open',
      },
    })
  })

  it('ask for no prototype by their labels', () => {
    expect(
      decide(
        {
          ...subjectOf({}, {}),
          namespace: {
            name: 'team',
            labels: Object.create({ 'iops-limit/enforce': 'gold' }) as Record<string, string>,
          },
        },
        RULEBOOK,
      ),
    ).toMatchObject({ aside: 'not-enforced' })
  })
})

const ANNOTATIONS = fc.dictionary(
  fc.constantFrom(
    'iops-limit/limit',
    'iops-limit/read-iops',
    'iops-limit/write-iops',
    'iops-limit/bps',
    'iops-limit/read-bps',
    'iops-limit/scope',
    'iops-limit/policy',
    'iops-limit/defaulted',
    'iops-limit/exempt-containers',
    'iops-limit/unknown',
    'container.iops-limit/main',
    'kubediskguard.io/iops',
    'io-limit/read-iops',
    'nvme-bps',
    'nvme-iops-read',
    'iops-limit/iops',
    'other.io/key',
  ),
  fc.constantFrom(
    '500',
    '2000',
    '300',
    'max',
    '200Mi',
    'pod',
    'container',
    'gold/rest',
    'read-iops,write-iops',
    'read-iops,scope',
    'limit=5',
    'limit=100,bps=5Mi',
    'x',
    '',
  ),
)
const LABELS = fc.constantFrom<Record<string, string>>(
  {},
  { app: 'pg' },
  { tier: 'system' },
  { shape: 'pod' },
  { shape: 'container' },
  { free: '' },
)
const MODES = fc.dictionary(
  fc.constantFrom('enforce', 'warn', 'audit'),
  fc.constantFrom('gold', 'silver', 'open', 'unknown'),
)
const CONTAINERS = fc.subarray([
  { name: 'main', image: 'a' },
  { name: 'istio-proxy', image: 'b' },
  { name: 'x', image: 'reg/pause:1' },
])
const POD = fc.record({ annotations: ANNOTATIONS, labels: LABELS, containers: CONTAINERS })

describe('always', () => {
  it('a second pass over its own output changes nothing and says nothing else, on CREATE and on UPDATE', () => {
    fc.assert(
      fc.property(MODES, POD, fc.option(POD, { nil: undefined }), (modes, pod, old) => {
        const first = decide(subjectOf(modes, pod, old), RULEBOOK)
        if (!first.allowed) return
        const second = decide(
          subjectOf(modes, { ...pod, annotations: changed(pod.annotations, first.changes) }, old),
          RULEBOOK,
        )
        expect(second.allowed).toBe(true)
        expect(second.changes).toEqual({ set: {}, remove: [] })
        if (second.aside !== 'unchanged') expect(second.auditAnnotations).toEqual(first.auditAnnotations)
      }),
      { numRuns: 5000 },
    )
  })

  it('what a pass under other labels filled in leaves no trace, in the copy of an admitted pod too', () => {
    const asUser = POD.map((pod) => ({
      ...pod,
      annotations: Object.fromEntries(
        Object.entries(pod.annotations).filter(
          ([key]) => key.startsWith('iops-limit/') && !/policy|defaulted|exempt|\/iops$/.test(key),
        ),
      ),
    }))
    fc.assert(
      fc.property(asUser, LABELS, (pod, labels) => {
        const first = decide(subjectOf(ENFORCE, pod), RULEBOOK)
        if (!first.allowed) return
        const copy = changed(pod.annotations, first.changes)
        const onCopy = decide(subjectOf(ENFORCE, { ...pod, annotations: copy, labels }), RULEBOOK)
        const fresh = decide(subjectOf(ENFORCE, { ...pod, labels }), RULEBOOK)
        expect(onCopy.refusal).toBe(fresh.refusal)
        if (fresh.allowed)
          expect(changed(copy, onCopy.changes)).toEqual(changed(pod.annotations, fresh.changes))
      }),
      { numRuns: 2000 },
    )
  })

  it('an update of nothing but images passes', () => {
    fc.assert(
      fc.property(MODES, POD, POD, (modes, pod, { containers }) => {
        expect(decide(subjectOf(modes, { ...pod, containers }, pod), RULEBOOK).allowed).toBe(true)
      }),
    )
  })

  it('what is refused is not changed, and what is changed touches our keys and aliases only', () => {
    fc.assert(
      fc.property(MODES, POD, fc.option(POD, { nil: undefined }), (modes, pod, old) => {
        const { allowed, changes, violations } = decide(subjectOf(modes, pod, old), RULEBOOK)
        if (!allowed) expect([changes, violations.length > 0]).toEqual([{ set: {}, remove: [] }, true])
        for (const key of [...Object.keys(changes.set), ...changes.remove])
          expect(key).not.toBe('other.io/key')
      }),
      { numRuns: 2000 },
    )
  })

  it('an update that repeats the limits passes', () => {
    fc.assert(
      fc.property(MODES, POD, LABELS, (modes, pod, labels) => {
        expect(decide(subjectOf(modes, { ...pod, labels }, pod), RULEBOOK).allowed).toBe(true)
      }),
    )
  })

  it("the mark is admission's: it names a policy in force, or was there before", () => {
    fc.assert(
      fc.property(MODES, POD, (modes, pod) => {
        const { allowed, changes } = decide(subjectOf(modes, pod), RULEBOOK)
        const mark = changed(pod.annotations, changes)['iops-limit/policy']
        if (allowed && mark !== undefined) expect(mark.startsWith(`${modes['enforce'] ?? '-'}/`)).toBe(true)
      }),
    )
  })
})
