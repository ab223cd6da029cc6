import fc from 'fast-check'
import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { limitsOf, readAdmitted } from '../../../contract/admitted.ts'
import { ENFORCE_LABEL } from '../../../contract/keys.ts'
import { migrateAnnotations } from '../../../webhook/cli/migrate/annotations.ts'
import { type Environment, migrateEnvironment } from '../../../webhook/cli/migrate/environment.ts'
import { parseEnvironment } from '../../../webhook/cli/migrate/settings.ts'
import { carryOut } from '../../../webhook/policy/changes.ts'
import { decide } from '../../../webhook/policy/decide.ts'
import { policiesOf } from '../../support/policies.ts'

/** Of a container, in the unit of its name; absent: no limit. */
type Limits = Readonly<Record<string, number>>

interface Pod {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly containers: readonly { readonly name: string; readonly image: string }[]
}

/** The older service's own rule, of its pkg/service and pkg/config: undefined where it leaves a container alone. */
function limitThere(env: Environment, pod: Pod): readonly (Limits | undefined)[] {
  const read = (name: string, usual: string): string => env[name] || usual
  const namespaces = read('EXCLUDE_NAMESPACES', 'kube-system').split(',')
  const keywords = read('EXCLUDE_KEYWORDS', 'pause,istio-proxy,psmdb,kube-system,koordinator,apisix').split(
    ',',
  )
  const selector = /^(\w+)=(\w+)$/.exec(env['EXCLUDE_LABEL_SELECTOR'] ?? '')
  const isSelected = selector !== null && pod.labels[selector[1] ?? ''] === selector[2]
  const isLeft = namespaces.includes(pod.namespace) || isSelected
  const values = [
    ['read-iops', Number(read('CONTAINER_READ_IOPS_LIMIT', '500'))],
    ['write-iops', Number(read('CONTAINER_WRITE_IOPS_LIMIT', '500'))],
    ['read-bps', Number(read('CONTAINER_READ_BPS_LIMIT', '0'))],
    ['write-bps', Number(read('CONTAINER_WRITE_BPS_LIMIT', '0'))],
  ] as const
  const limits = Object.fromEntries(
    values.map(([key, usual]) => {
      const own = pod.annotations[`kubediskguard.io/${key}`]
      return [key, own === undefined ? usual : Number(own)]
    }),
  )
  const set = Object.fromEntries(Object.entries(limits).filter(([, value]) => value > 0))
  return pod.containers.map(({ name, image }) => {
    const isSkipped = keywords.some((word) => image.includes(word) || name.includes(word))
    return isLeft || isSkipped || Object.keys(set).length === 0 ? undefined : set
  })
}

/** By the engine of the webhook, on the migrated policy, labels and annotations. */
function limitHere(env: Environment, pod: Pod): readonly (Limits | undefined)[] {
  const { policy, excluded } = migrateEnvironment(env, 'migrated')
  const labels = excluded.includes(pod.namespace) ? {} : { [ENFORCE_LABEL]: 'migrated' }
  const { set, remove } = migrateAnnotations(pod.annotations)
  const kept = Object.entries({ ...pod.annotations, ...set }).filter(([key]) => !remove.includes(key))
  const annotations = Object.fromEntries(kept)
  const verdict = decide(
    {
      namespace: { name: pod.namespace, labels },
      pod: { ...pod, annotations, deleting: false },
    },
    { policies: policiesOf(dump(policy)), exemptNamespaces: [] },
  )
  if (!verdict.allowed) throw new Error(verdict.refusal)
  const admitted = readAdmitted(carryOut(verdict.changes, annotations))
  return pod.containers.map(({ name }) => {
    if (admitted.mark === undefined || admitted.exemptContainers.has(name)) return undefined
    const { readIOPS, writeIOPS, readBPS, writeBPS } = limitsOf(admitted, name)
    const all = { 'read-iops': readIOPS, 'write-iops': writeIOPS, 'read-bps': readBPS, 'write-bps': writeBPS }
    const limited = Object.entries(all).filter(([, value]) => value !== undefined && value !== 'max')
    return limited.length === 0
      ? undefined
      : Object.fromEntries(limited.map(([key, value]) => [key, Number(value)]))
  })
}

const WORDS = [
  'pause',
  'istio-proxy',
  'psmdb',
  'web',
  'db',
  'a.b',
  'x/y',
  'c*',
  'a b',
  'kube-system',
  'team-a',
]
const PARTS = ['pause', 'istio-proxy', 'psmdb', 'web', 'db', 'kube', 'team-a', 'nginx']
const LIMIT = fc.oneof(fc.constantFrom('0', '500', ''), fc.integer({ min: 2, max: 1e9 }).map(String))

const lists = (words: readonly string[]) =>
  fc.subarray([...words], { minLength: 1 }).map((chosen) => chosen.join(','))

const environments: fc.Arbitrary<Environment> = fc.record(
  {
    CONTAINER_READ_IOPS_LIMIT: LIMIT,
    CONTAINER_WRITE_IOPS_LIMIT: LIMIT,
    CONTAINER_READ_BPS_LIMIT: LIMIT,
    CONTAINER_WRITE_BPS_LIMIT: LIMIT,
    CONTAINER_IOPS_LIMIT: LIMIT,
    EXCLUDE_KEYWORDS: fc.oneof(fc.constant(''), lists(WORDS)),
    EXCLUDE_NAMESPACES: fc.oneof(fc.constant(''), lists(['kube-system', 'team-a', 'x*', 'b'])),
    EXCLUDE_LABEL_SELECTOR: fc.constantFrom('', 'tier=infra', 'app=web'),
    SMART_LIMIT_ENABLED: fc.constantFrom('true', 'false', '1'),
  },
  { requiredKeys: [] },
)

const names = fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 })
const pods: fc.Arbitrary<Pod> = fc.record({
  namespace: fc.constantFrom('kube-system', 'team-a', 'b', 'xy'),
  labels: fc.record({ tier: fc.constantFrom('infra', 'web'), app: fc.constantFrom('web', 'db') }),
  annotations: fc.dictionary(
    fc.constantFrom(...['read-iops', 'write-iops', 'read-bps'].map((key) => `kubediskguard.io/${key}`)),
    LIMIT.filter((text) => text !== ''),
  ),
  containers: fc.uniqueArray(
    fc.record({
      name: names.map((parts) => parts.join('-')),
      image: names.map((parts) => `registry.example.com/x/y/${parts.join('/')}:a.b`),
    }),
    { minLength: 1, maxLength: 4, selector: ({ name }) => name },
  ),
})

describe('an environment of the older service, as a policy', () => {
  it('limits the same containers in the same way', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(environments, pods, (env, pod) => {
        expect(limitHere(env, pod)).toEqual(limitThere(env, pod))
      }),
      { numRuns: 1000 },
    )
  })

  it('is a policy that can be loaded, whatever the environment', { timeout: 30_000 }, () => {
    const any = fc.record(
      {
        CONTAINER_READ_IOPS_LIMIT: fc.string(),
        CONTAINER_WRITE_BPS_LIMIT: fc.oneof(fc.string(), fc.bigInt().map(String)),
        EXCLUDE_KEYWORDS: fc.string({ unit: 'binary' }),
        EXCLUDE_NAMESPACES: fc.string(),
        EXCLUDE_LABEL_SELECTOR: fc.string(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(any, (env) => {
        expect([...policiesOf(dump(migrateEnvironment(env, 'm').policy)).keys()]).toEqual(['m'])
      }),
    )
  })

  it('says what differs', () => {
    const { remarks } = migrateEnvironment(
      {
        CONTAINER_READ_IOPS_LIMIT: 'many',
        CONTAINER_WRITE_IOPS_LIMIT: '-5',
        CONTAINER_IOPS_LIMIT: '9',
        EXCLUDE_KEYWORDS: 'pause, istio,',
        EXCLUDE_NAMESPACES: 'kube-system,x*',
        EXCLUDE_LABEL_SELECTOR: 'a in b',
        SMART_LIMIT_AUTO_IOPS: '3',
        DATA_MOUNT: '/srv',
      },
      'm',
    )
    expect(remarks).toEqual(REMARKS)
  })
})

const REMARKS: readonly string[] = [
  'EXCLUDE_KEYWORDS: the older service looked for " istio", space and all; the policy excludes "istio"',
  'EXCLUDE_KEYWORDS: the older service took its empty words at their word; the policy leaves them out',
  'EXCLUDE_NAMESPACES: no namespace can be called "x*": it excluded none, and the policy leaves it out',
  'EXCLUDE_LABEL_SELECTOR "a in b" is no selector (the values of in and notin stand in parentheses): the older service passed over it, and so does the policy',
  'CONTAINER_READ_IOPS_LIMIT "many" is not a number: the older service took its default, 500',
  'CONTAINER_WRITE_IOPS_LIMIT: "-5" is negative; write 2 or more, or "max" for no limit: the policy sets no default there',
  'CONTAINER_IOPS_LIMIT was parsed and never used: the policy leaves it out',
  'SMART_LIMIT_ENABLED is not true, so the older service limited nothing: the policy does',
  'no counterpart: SMART_LIMIT_AUTO_IOPS',
  'DATA_MOUNT=/srv goes to the enforcer, which has a variable of that name',
  'a pod without one of the limits gets the default on itself, as iops-limit/read-iops and its kin, when it is made or changed',
  'init containers are limited too: the older service never looked at them',
  'pods that run already get theirs by the back-fill, or when they are made anew',
]

describe('annotations of the older service', () => {
  it('become those of today; 0 meant no limit', () => {
    expect(
      migrateAnnotations({ 'kubediskguard.io/iops': '0', 'io-limit/read-bps': '10M', note: 'x' }),
    ).toEqual({
      set: { 'iops-limit/limit': 'max', 'iops-limit/read-bps': '10M' },
      remove: ['kubediskguard.io/iops', 'io-limit/read-bps'],
      remarks: [
        'kubediskguard.io/iops is now iops-limit/limit "max": 0 meant no limit',
        'io-limit/read-bps is now iops-limit/read-bps',
        "io-limit/read-bps limited nothing in the older service's last version, and limits now",
      ],
      problems: [],
    })
  })

  it('that were released are without limit', () => {
    const { set, remove } = migrateAnnotations({
      'kubediskguard.io/removed': 'true',
      'kubediskguard.io/iops': '5',
    })
    expect(set).toEqual({ 'iops-limit/limit': 'max', 'iops-limit/bps': 'max' })
    expect(remove).toEqual(['kubediskguard.io/iops', 'kubediskguard.io/removed'])
  })

  it('of both directions beat those of one there, and not here: that is said', () => {
    const { remarks } = migrateAnnotations({
      'kubediskguard.io/iops': '5',
      'kubediskguard.io/read-iops': '7',
    })
    expect(remarks).toContain(
      'kubediskguard.io/iops beat kubediskguard.io/read-iops in the older service; now the key of one direction wins: remove it to keep what was',
    )
  })

  it('of which nothing can be made are for people to mend', () => {
    const { problems, remarks } = migrateAnnotations({
      'kubediskguard.io/read-iops': '5k',
      'kubediskguard.io/triggered-by': 'x',
    })
    expect(problems).toEqual([
      'iops-limit/read-iops: "5k" has a suffix, and this key takes plain digits; write "5000" if operations are meant; bytes per second go under iops-limit/read-bps',
    ])
    expect(remarks.at(-1)).toBe('kubediskguard.io/triggered-by means nothing here and is left as it is')
  })
})

it('an environment file: comments, export, quotes, CRLF', () => {
  expect(parseEnvironment('# a\r\nA=1\r\nexport B="x y"\n\nC=\nD=\'q\'\n E = no\n')).toEqual({
    A: '1',
    B: 'x y',
    C: '',
    D: 'q',
  })
})
