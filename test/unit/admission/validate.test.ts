import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ValidationWorld } from '../../../webhook/admission/judgement.ts'
import { answerValidation, answerValidationFailure } from '../../../webhook/admission/validate.ts'
import { parseValidation } from '../../../webhook/admission/validation.ts'
import { replaceFields } from '../../support/mutate.ts'
import { policiesOf } from '../../support/policies.ts'
import { createRandom, runSeed } from '../../support/random.ts'
import { findResponseFaults, RECORDED_NAMES, recordedReview } from '../../support/reviews.ts'
import { parsedValidation, validate, validationOf } from '../../support/validations.ts'

const GOLD = readFileSync(new URL('../../fixtures/policies/gold.yaml', import.meta.url), 'utf8')

const worldOf = (labels: Readonly<Record<string, string>>): ValidationWorld => ({
  namespace: { name: 'team', labels },
  namespaces: [],
  policies: policiesOf(GOLD),
  exemptNamespaces: ['kube-system'],
})
const ENFORCED = worldOf({ 'iops-limit/enforce': 'gold' })

const podOf = (annotations: Readonly<Record<string, string>>, metadata = {}) => ({
  metadata: { name: 'web', labels: { app: 'db' }, annotations, ...metadata },
  spec: { containers: [{ name: 'main', image: 'i' }] },
})

const ADMITTED = {
  'iops-limit/read-iops': '2000',
  'iops-limit/write-iops': '1000',
  'iops-limit/read-bps': '200Mi',
  'iops-limit/write-bps': '100Mi',
  'iops-limit/policy': 'gold/databases',
  'iops-limit/defaulted': 'read-iops,write-iops,read-bps,write-bps',
}

describe('every recorded review', () => {
  it('is answered so that the API server takes it', () => {
    const outcomes = RECORDED_NAMES.map((name) => {
      const review = recordedReview(name)
      const parsed = parseValidation(review)
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
      const { body, record } = answerValidation(parsed.value, ENFORCED)
      expect(findResponseFaults(review.request.uid, body), name).toEqual([])
      return `${name.replace('.json', '')}: ${record.outcome} ${record.reason ?? record.rule ?? ''}`
    })
    expect(outcomes).toEqual([
      '01-create-namespaces: untouched unchanged',
      '02-update-namespaces: warned ',
      '03-create-deployments: warned everything-else',
      '04-create-pods: missed everything-else',
      '05-create-pods: missed databases',
      '06-update-pods: missed databases',
      '07-update-pods: missed databases',
      '08-create-pods-dryrun: missed everything-else',
      '09-create-statefulsets: warned databases',
      '10-create-pods: missed databases',
      '11-create-cronjobs: warned everything-else',
      '12-create-jobs: warned everything-else',
      '13-create-pods: missed everything-else',
      '14-update-pods-ephemeralcontainers: untouched not-judged',
      '15-create-jobs: untouched controlled',
      '16-create-pods: missed everything-else',
    ])
  })
})

describe('pods', () => {
  it('as admission left them: not a word', () => {
    expect(validate({ resource: 'pods', object: podOf(ADMITTED) }, ENFORCED)).toMatchObject({
      allowed: true,
      warnings: [],
      auditAnnotations: {},
      record: { outcome: 'allowed', policy: 'gold', rule: 'databases', warnings: 0 },
    })
  })

  it('out of bounds: refused, with the place', () => {
    const object = podOf({ ...ADMITTED, 'iops-limit/read-iops': '9000' })
    const sentence = 'iops-limit/read-iops "9000" is above the max of 5000 for readIOPS; write 5000 or less'
    expect(validate({ resource: 'pods', object }, ENFORCED)).toMatchObject({
      allowed: false,
      message: `policy gold, rule databases: ${sentence} (pod team/web)`,
      auditAnnotations: { violations: `policy gold, rule databases: ${sentence}` },
      record: { outcome: 'refused', violations: [sentence] },
    })
  })

  it('through pods/status too, and held to what the update does', () => {
    const own = { ...ADMITTED, 'iops-limit/defaulted': 'write-iops,read-bps,write-bps' }
    const oldObject = podOf({ ...own, 'iops-limit/read-iops': '9000' })
    const object = podOf({ ...own, 'iops-limit/read-iops': '8000' })
    const update = { resource: 'pods/status', operation: 'UPDATE' }
    expect(validate({ ...update, object, oldObject }, ENFORCED).allowed).toBe(true)
    expect(validate({ ...update, object: oldObject, oldObject: object }, ENFORCED).allowed).toBe(false)
    expect(validate({ ...update, object: oldObject, oldObject }, ENFORCED).record).toMatchObject({
      outcome: 'untouched',
      reason: 'unchanged',
    })
  })

  it('that admission never saw: let through, with a warning and an outcome of their own', () => {
    expect(validate({ resource: 'pods', object: podOf({}) }, ENFORCED)).toMatchObject({
      allowed: true,
      warnings: [
        'iops-limit: the limits of the policy in force are not all on this pod yet: the call that sets them did not come through, or the policy has just changed; the back-fill sets them',
      ],
      record: { outcome: 'missed', policy: 'gold', rule: 'databases' },
    })
  })

  it('of a namespace without a policy, or that nobody knows', () => {
    const request = { resource: 'pods', object: podOf({ 'iops-limit/limit': 'x' }) }
    expect(validate(request, worldOf({})).record).toMatchObject({
      outcome: 'untouched',
      reason: 'not-enforced',
    })
    expect(validate(request, { ...ENFORCED, namespace: undefined }).record).toMatchObject({
      outcome: 'untouched',
      reason: 'unknown-namespace',
    })
  })

  it.each([
    ['DELETE', 'pods'],
    ['UPDATE', 'pods/ephemeralcontainers'],
    ['CREATE', 'pods/eviction'],
    ['CREATE', 'configmaps'],
  ])('%s of %s is none of ours', (operation, resource) => {
    const request = { resource, operation, object: podOf({ 'iops-limit/limit': 'x' }) }
    expect(validate(request, ENFORCED)).toMatchObject({
      allowed: true,
      warnings: [],
      record: { outcome: 'untouched', reason: 'not-judged' },
    })
  })
})

describe('a Binding', () => {
  const binding = (annotations: object) =>
    validate({ resource: 'pods/binding', object: { metadata: { annotations } } }, ENFORCED)

  it('without our keys passes', () => {
    expect(binding({ other: 'x' })).toMatchObject({ allowed: true, record: { outcome: 'untouched' } })
  })

  it('with our keys is refused', () => {
    expect(binding({ 'iops-limit/limit': 'max' }).message).toBe(
      'a Binding may not carry iops-limit/limit: limits are set on the pod (pod team/web)',
    )
    const keys = (length: number) =>
      Object.fromEntries(Array.from({ length }, (_, index) => [`iops-limit/${index}`, 'x']))
    expect(binding(keys(5)).message).toContain('iops-limit/3, iops-limit/4: limits')
    expect(binding(keys(7)).message).toBe(
      'a Binding may not carry iops-limit/0, iops-limit/1, iops-limit/2, iops-limit/3, iops-limit/4, ...: limits are set on the pod (pod team/web)',
    )
  })
})

describe('workloads', () => {
  const templateOf = (annotations: Readonly<Record<string, string>>, labels = {}) => ({
    metadata: { labels, annotations },
    spec: { containers: [{ name: 'main', image: 'i' }] },
  })
  const deploymentOf = (template: unknown, metadata = {}) => ({
    metadata: { name: 'web', ...metadata },
    spec: { replicas: 2, template },
  })
  const deploy = (annotations: Readonly<Record<string, string>>, labels = {}, world = ENFORCED) =>
    validate({ resource: 'apps/deployments', object: deploymentOf(templateOf(annotations, labels)) }, world)

  it.each([
    ['apps/deployments', 'Deployment', { spec: { template: templateOf({}) } }],
    ['apps/statefulsets', 'StatefulSet', { spec: { template: templateOf({}) } }],
    ['apps/daemonsets', 'DaemonSet', { spec: { template: templateOf({}) } }],
    ['apps/replicasets', 'ReplicaSet', { spec: { template: templateOf({}) } }],
    ['replicationcontrollers', 'ReplicationController', { spec: { template: templateOf({}) } }],
    ['batch/jobs', 'Job', { spec: { template: templateOf({}) } }],
    ['batch/cronjobs', 'CronJob', { spec: { jobTemplate: { spec: { template: templateOf({}) } } } }],
    ['podtemplates', 'PodTemplate', { template: templateOf({}) }],
  ])('%s: what pods would get', (resource, kind, object) => {
    expect(validate({ resource, object: { metadata: {}, ...object } }, ENFORCED)).toMatchObject({
      allowed: true,
      warnings: [
        `iops-limit: pods of this ${kind} would get read-iops 500, write-iops 500 from gold/everything-else`,
      ],
      auditAnnotations: { policy: 'gold/everything-else', defaulted: 'read-iops=500, write-iops=500' },
      record: { outcome: 'warned', policy: 'gold', rule: 'everything-else' },
    })
  })

  it('why pods would be refused, each reason in a line of its own', () => {
    const { allowed, warnings, auditAnnotations, record } = deploy({
      'iops-limit/read-iops': '9000',
      'iops-limit/write-iops': '1.5',
    })
    expect(allowed).toBe(true)
    expect(warnings).toEqual([
      'iops-limit: pods of this Deployment would be refused: policy gold, rule everything-else: iops-limit/write-iops: "1.5" is not a whole number of operations per second; write digits only, such as "500", or "max" for no limit',
      'iops-limit: pods of this Deployment would be refused: policy gold, rule everything-else: iops-limit/read-iops "9000" is above the max of 1000 for readIOPS; write 1000 or less',
    ])
    expect(auditAnnotations).toHaveProperty('violations')
    expect(record.violations).toHaveLength(2)
  })

  it('what the mutating side would tell of the pods', () => {
    expect(deploy({ 'nvme-iops': '300' }).warnings).toEqual([
      'iops-limit: pods of this Deployment: nvme-iops is a key of the older service: rewritten to iops-limit/limit',
    ])
  })

  it('values that no policy can read', () => {
    expect(
      deploy({ 'iops-limit/limit': 'x' }, {}, worldOf({ 'iops-limit/warn': 'gold' })).warnings[0],
    ).toContain(
      'pods of this Deployment: policy gold, rule everything-else would refuse: iops-limit/limit: "x"',
    )
  })

  it.each([
    ['all is set', { 'iops-limit/limit': '400' }, {}, ENFORCED],
    ['the rule exempts', {}, { tier: 'infra' }, ENFORCED],
  ])('silent where %s', (_, annotations, labels, world) => {
    expect(deploy(annotations, labels, world)).toMatchObject({ warnings: [], record: { outcome: 'allowed' } })
  })

  it('silent where no policy is in force, or nobody knows the namespace', () => {
    const recordIn = (world: ValidationWorld) => deploy({ 'iops-limit/limit': 'x' }, {}, world).record
    expect(recordIn(worldOf({}))).toMatchObject({ outcome: 'untouched', reason: 'not-enforced' })
    expect(recordIn({ ...ENFORCED, namespace: undefined })).toMatchObject({
      outcome: 'untouched',
      reason: 'unknown-namespace',
    })
  })

  it('refused where no rule matches and a value cannot be read', () => {
    const world = {
      ...ENFORCED,
      policies: policiesOf(GOLD.replaceAll(/ {2}- name: everything-else\n.*\n.*\n/g, '')),
    }
    expect(deploy({ 'iops-limit/limit': '1' }, {}, world).warnings).toEqual([
      'iops-limit: pods of this Deployment would be refused: policy gold: iops-limit/limit: "1" is below what the kernel takes; write 2 or more, or "max" for no limit',
    ])
  })

  it('copied from an admitted pod, mark and all', () => {
    expect(deploy(ADMITTED, { app: 'db' }).warnings[0]).toBe(
      'iops-limit: pods of this Deployment would get read-iops 2000, write-iops 1000, read-bps 200Mi, write-bps 100Mi from gold/databases',
    )
  })

  it('told again only where the template changes', () => {
    const update = (object: unknown, oldObject: unknown) =>
      validate({ resource: 'apps/deployments', operation: 'UPDATE', object, oldObject }, ENFORCED).record
    const before = deploymentOf(templateOf({ note: '1' }, { app: 'web' }))
    const scaled = { ...before, spec: { ...before.spec, replicas: 9 } }
    expect(update(scaled, before)).toMatchObject({ outcome: 'untouched', reason: 'unchanged' })
    expect(update(deploymentOf(templateOf({ note: '2' }, { app: 'web' })), before).reason).toBe('unchanged')
    for (const template of [
      templateOf({}, { app: 'db' }),
      templateOf({ 'iops-limit/read-iops': '5' }, { app: 'web' }),
      { ...templateOf({}, { app: 'web' }), spec: { containers: [{ name: 'main', image: 'other' }] } },
    ])
      expect(update(deploymentOf(template), before).outcome).toBe('warned')
    expect(update(before, { metadata: {} }).outcome).toBe('warned')
  })

  it('left alone where a controller made it, where it goes, and where it has no template', () => {
    const template = templateOf({})
    const judge = (object: unknown) =>
      validate({ resource: 'apps/replicasets', object }, ENFORCED).record.reason
    const owner = { kind: 'Deployment', name: 'web', controller: true }
    expect(judge(deploymentOf(template, { ownerReferences: [owner] }))).toBe('controlled')
    for (const references of [null, [], [{ ...owner, controller: false }], [{ ...owner, controller: null }]])
      expect(judge(deploymentOf(template, { ownerReferences: references }))).toBeUndefined()
    expect(judge(deploymentOf(template, { deletionTimestamp: '2026-11-21T00:00:00Z' }))).toBe('not-judged')
    expect(judge({ metadata: {}, spec: {} })).toBe('not-judged')
    expect(validate({ resource: 'apps/deployments', operation: 'DELETE' }, ENFORCED).record.reason).toBe(
      'not-judged',
    )
  })
})

describe('namespaces', () => {
  const judge = (
    labels: Readonly<Record<string, string>> | null,
    old?: Readonly<Record<string, string>>,
    world: Partial<ValidationWorld> = {},
  ) =>
    validate(
      {
        resource: 'namespaces',
        name: 'team',
        object: { metadata: { name: 'team', labels } },
        ...(old && { operation: 'UPDATE', oldObject: { metadata: { name: 'team', labels: old } } }),
      },
      { ...ENFORCED, namespace: undefined, ...world },
    )

  it('that name no policy there is are refused, with those that there are', () => {
    expect(judge({ 'iops-limit/enforce': 'platinum', 'iops-limit/warn': 'tin' })).toMatchObject({
      allowed: false,
      message:
        'namespace label iops-limit/enforce=platinum: there is no policy of that name; known: gold; namespace label iops-limit/warn=tin: there is no policy of that name; known: gold (namespace team)',
      auditAnnotations: { labels: 'iops-limit/enforce: (none) -> platinum; iops-limit/warn: (none) -> tin' },
      record: { outcome: 'refused', violations: [expect.anything(), expect.anything()] },
    })
    expect(judge({ 'iops-limit/enforce': 'platinum' }, { 'iops-limit/enforce': 'gold' }).allowed).toBe(false)
  })

  it('that carry such a label already pass, and get rid of it', () => {
    const wrong = { 'iops-limit/enforce': 'platinum' }
    expect(judge({ ...wrong, team: 'a' }, wrong)).toMatchObject({
      allowed: true,
      warnings: [],
      record: { outcome: 'untouched', reason: 'unchanged' },
    })
    expect(judge(null, wrong).allowed).toBe(true)
    expect(judge({ ...wrong, 'iops-limit/audit': 'gold' }, wrong).allowed).toBe(true)
  })

  it('that are new with right labels: not a word but in the audit log', () => {
    expect(judge({ 'iops-limit/enforce': 'gold' })).toMatchObject({
      allowed: true,
      warnings: [],
      auditAnnotations: { labels: 'iops-limit/enforce: (none) -> gold' },
      record: { outcome: 'allowed' },
    })
    expect(judge({ team: 'a' }).record.outcome).toBe('untouched')
  })

  it('that are exempt are told that their labels have no effect', () => {
    const warning = 'iops-limit: namespace team is exempt: policy gold, which its labels name, has no effect'
    const exempt = { exemptNamespaces: ['team'] }
    expect(judge({ 'iops-limit/enforce': 'gold' }, undefined, exempt)).toMatchObject({
      allowed: true,
      warnings: [warning],
      record: { outcome: 'warned' },
    })
  })

  it('say so where nobody could look at their pods', () => {
    expect(judge({ 'iops-limit/enforce': 'gold' }, {}).warnings).toEqual([
      'iops-limit: what this changes for the pods of the namespace is not known: they could not be looked at',
    ])
  })

  it('are previewed', () => {
    const outlook = { effects: [], looked: 0, total: 0 }
    expect(judge({ 'iops-limit/enforce': 'gold' }, {}, { outlook })).toMatchObject({
      warnings: ['iops-limit: enforce=gold: nothing changes for 0 pods'],
      auditAnnotations: {
        labels: 'iops-limit/enforce: (none) -> gold',
        preview: 'enforce=gold: nothing changes for 0 pods',
      },
    })
    expect(judge({}, { 'iops-limit/warn': 'gold' }, { outlook })).toMatchObject({
      warnings: [],
      record: { outcome: 'allowed' },
    })
  })

  it('are judged through their subresources, and not while they go', () => {
    const metadata = { name: 'team', labels: { 'iops-limit/enforce': 'tin' } }
    const request = { operation: 'UPDATE', oldObject: { metadata: {} } }
    const judgeBy = (resource: string, more = {}) =>
      validate({ ...request, resource, object: { metadata: { ...metadata, ...more } } }, ENFORCED).allowed
    expect([judgeBy('namespaces/status'), judgeBy('namespaces/finalize'), judgeBy('namespaces/x')]).toEqual([
      false,
      false,
      true,
    ])
    expect(judgeBy('namespaces', { deletionTimestamp: '2026-11-21T00:00:00Z' })).toBe(true)
    expect(validate({ resource: 'namespaces', operation: 'DELETE' }, ENFORCED).allowed).toBe(true)
  })
})

describe('policies', () => {
  const policyOf = (rules: unknown, metadata = {}) => ({
    apiVersion: 'policy.iops-limit/v1alpha1',
    kind: 'IOLimitPolicy',
    metadata: { name: 'gold', ...metadata },
    spec: { rules },
  })
  const right = policyOf([{ name: 'all', max: { iops: 500 } }])
  const other = policyOf([{ name: 'all', max: { iops: 600 } }])
  const wrong = policyOf([{ name: 'all', default: { iops: 900 }, max: { iops: 500 } }])
  const judge = (
    operation: string,
    object: unknown,
    oldObject: unknown,
    namespaces: readonly string[] = [],
  ) =>
    validate(
      {
        resource: 'policy.iops-limit/iolimitpolicies',
        name: 'gold',
        namespace: '',
        operation,
        object,
        oldObject,
      },
      {
        ...ENFORCED,
        namespaces: namespaces.map((text) => {
          const [name = '', mode = '', policy = 'gold'] = text.split(':')
          return { name, labels: { [`iops-limit/${mode}`]: policy } }
        }),
      },
    )

  it('are refused as a file is', () => {
    const problem =
      'spec.rules[0].default.iops: "900" is above the max of readIOPS, 500 at spec.rules[0].max.iops; lower it or raise the other'
    const again = problem.replace('readIOPS', 'writeIOPS')
    for (const [operation, old] of [
      ['CREATE', null],
      ['UPDATE', right],
    ] as const)
      expect(judge(operation, wrong, old)).toMatchObject({
        allowed: false,
        message: `IOLimitPolicy gold: ${problem}; ${again}`,
        record: { outcome: 'refused', violations: [problem, again] },
      })
  })

  it('are refused in a few sentences', () => {
    const { record } = judge('CREATE', policyOf(Array.from({ length: 30 }, () => 5)), null)
    expect(record.violations).toHaveLength(21)
    expect(record.violations.at(-1)).toBe('and 10 more')
    const twenty = judge('CREATE', policyOf(Array.from({ length: 20 }, () => 5)), null).record
    expect(twenty.violations).toHaveLength(20)
    expect(twenty.violations.at(-1)).toContain('spec.rules[19]')
    expect(judge('CREATE', 5, null)).toMatchObject({ allowed: false })
    expect(judge('UPDATE', 5, right)).toMatchObject({ allowed: false })
  })

  it('are taken where they are right', () => {
    expect(judge('CREATE', right, null, ['a:enforce'])).toMatchObject({
      allowed: true,
      warnings: [],
      record: { outcome: 'allowed' },
    })
    expect(judge('UPDATE', right, other).record.outcome).toBe('allowed')
  })

  it('that were taken once can be labelled, and go', () => {
    expect(judge('UPDATE', { ...wrong, metadata: {} }, wrong)).toMatchObject({
      allowed: true,
      record: { outcome: 'untouched', reason: 'unchanged' },
    })
    expect(judge('DELETE', null, wrong)).toMatchObject({ allowed: true, warnings: [] })
  })

  it('tell who uses them when they change', () => {
    const users = ['d:enforce', 'a:enforce', 'b:enforce', 'c:enforce', 'e:warn', 'f:audit']
    expect(judge('UPDATE', right, other, users).warnings).toEqual([
      'iops-limit: policy gold changes while it is in use: enforced in 4 namespaces (a, b, c, ...), warned of in 1 namespace (e), audited in 1 namespace (f); their pods get its new defaults, and meet its new bounds when they are made anew',
    ])
    const three = judge('UPDATE', right, other, ['c:warn', 'a:warn', 'b:warn', 'd:warn:silver'])
    expect(three.warnings[0]).toContain('in use: warned of in 3 namespaces (a, b, c);')
    expect(judge('UPDATE', right, other, ['a:enforce:silver']).warnings).toEqual([])
    expect(judge('DELETE', null, right, ['a:enforce'])).toMatchObject({
      allowed: true,
      warnings: [
        'iops-limit: policy gold goes while it is in use: enforced in 1 namespace (a); its limits stay on their pods, and new pods get none until a policy of that name is back',
      ],
      record: { outcome: 'warned' },
    })
  })

  it('CONNECT is none of ours', () => {
    expect(judge('CONNECT', null, null).record.reason).toBe('not-judged')
  })
})

describe('a review', () => {
  it('that cannot be read says where', () => {
    const problemsOf = (resource: string, object: unknown) => {
      const parsed = parseValidation(validationOf({ resource, object }))
      return parsed.ok ? [] : parsed.problems.map(({ field }) => field)
    }
    expect(problemsOf('apps/deployments', 5)).toContain('request.object')
    expect(problemsOf('apps/deployments', { metadata: 5 })).toEqual(['request.object.metadata'])
    expect(problemsOf('namespaces', { metadata: { labels: { a: 1 } } })).toEqual([
      'request.object.metadata.labels.a',
    ])
    expect(problemsOf('apps/deployments', { metadata: { ownerReferences: [5] }, spec: {} })).toEqual([
      'request.object.metadata.ownerReferences[0]',
    ])
    const owner = { controller: true, kind: 1, name: 2 }
    expect(problemsOf('apps/deployments', { metadata: { ownerReferences: [owner] } })).toEqual([
      'request.object.metadata.ownerReferences[0].kind',
      'request.object.metadata.ownerReferences[0].name',
    ])
    expect(problemsOf('namespaces', { metadata: { generateName: 5, ownerReferences: {} } })).toEqual([
      'request.object.metadata.generateName',
      'request.object.metadata.ownerReferences',
    ])
  })

  it('that something of ours broke on lets its object through', () => {
    const { body, record } = answerValidationFailure(
      parsedValidation({ resource: 'pods', object: podOf({}) }),
      'an internal error',
    )
    expect(body.response).toEqual({
      uid: 'u-1',
      allowed: true,
      warnings: ['iops-limit: an internal error: the object was let through without a check'],
    })
    expect(record).toMatchObject({ outcome: 'failed', reason: 'an internal error' })
  })

  it('of an object without a name yet', () => {
    const request = {
      resource: 'apps/deployments',
      name: '',
      object: { metadata: { generateName: 'web-' }, spec: { template: podOf({}) } },
    }
    expect(validate(request, ENFORCED).record.name).toBe('web-*')
  })
})

describe('always', () => {
  it('spoilt reviews are refused with reasons, or answered so that the API server takes it', () => {
    const seed = runSeed()
    const random = createRandom(seed)
    let answered = 0
    for (let index = 0; index < 5000; index++) {
      const spoilt = replaceFields(recordedReview(random.pick(RECORDED_NAMES)), random)
      const parsed = parseValidation(JSON.parse(JSON.stringify(spoilt)))
      if (!parsed.ok) continue
      answered++
      const { body } = answerValidation(parsed.value, ENFORCED)
      expect(findResponseFaults(parsed.value.uid, body), `seed ${seed}, case ${index}`).toEqual([])
    }
    expect(answered).toBeGreaterThan(1000)
  })

  it('a template made to be slow costs linear time', () => {
    const keys = Array.from({ length: 40_000 }, (_, index) => `container.iops-limit/c${index}`)
    const annotations = Object.fromEntries(keys.map((key) => [key, 'read-iops=9000']))
    const began = performance.now()
    const object = { metadata: {}, spec: { template: podOf(annotations) } }
    const pod = { resource: 'pods', object: podOf({ ...ADMITTED, ...annotations }) }
    expect(validate({ resource: 'apps/deployments', object }, ENFORCED).warnings).toHaveLength(16)
    expect(validate(pod, ENFORCED).allowed).toBe(false)
    expect(validate({ ...pod, operation: 'UPDATE', oldObject: podOf(ADMITTED) }, ENFORCED).allowed).toBe(
      false,
    )
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
