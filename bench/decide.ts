/**
 * What one decision costs, and how that grows with policies, rules, namespaces, pods and selectors. In one process, on one core.
 *   npm run bench:decide             prints the table
 *   npm run bench:decide -- FILE     draws the curves into an SVG, too
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { answerReview } from '../webhook/admission/answer.ts'
import { parseReview } from '../webhook/admission/review.ts'
import { decide } from '../webhook/policy/decide.ts'
import { loadPolicies } from '../webhook/policy/load.ts'
import type { NamespaceInfo, Namespaces, Policy, PolicySet } from '../webhook/policy/policy.ts'
import type { Rulebook } from '../webhook/policy/rulebook.ts'
import type { PodInfo, Subject } from '../webhook/policy/subject.ts'
import { type Curve, drawCurves, findGrowth } from './decide/curves.ts'
import { listNamespaces, policyOf } from './webhook/inputs.ts'
import { medianOf } from './webhook/table.ts'

const RECORDED = JSON.parse(
  readFileSync(new URL('../test/fixtures/recorded/admission/10-create-pods.json', import.meta.url), 'utf8'),
) as { readonly request: { readonly object: { readonly spec: { readonly containers: readonly object[] } } } }

const SUBJECT = readSubject(RECORDED)
const NAMESPACE: NamespaceInfo = { name: 'rec', labels: { 'iops-limit/enforce': 'policy-0' } }

function readSubject(body: unknown): PodInfo {
  const review = parseReview(body)
  if (!review.ok || review.value.content.kind !== 'pod')
    throw new TypeError('the recorded review is one of a pod')
  return review.value.content.pod
}

const MILLISECONDS = 200
const ROUNDS = 5

/** Microseconds of a call: the median of rounds, behind a warm-up. */
function measure(call: () => unknown): number {
  const rounds = Array.from({ length: ROUNDS + 2 }, () => {
    const began = process.cpuUsage()
    const until = performance.now() + MILLISECONDS
    let calls = 0
    while (performance.now() < until) for (let left = 100; left > 0; left -= 1, calls += 1) call()
    const { user, system } = process.cpuUsage(began)
    return (user + system) / calls
  })
  return medianOf(rounds.slice(2))
}

const load = (objects: object): PolicySet => {
  const loaded = loadPolicies([{ name: 'policies', text: JSON.stringify(objects) }])
  if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems[0]))
  return loaded.value
}

const rulebookOf = (policies: PolicySet): Rulebook => ({ policies, exemptNamespaces: ['kube-system'] })

/** So many copies of one parsed policy: parsing thousands is not what is measured. */
function multiply(policy: Policy, count: number): PolicySet {
  return new Map(
    Array.from({ length: count }, (_, index) => [`policy-${index}`, { ...policy, name: `policy-${index}` }]),
  )
}

const decideOn = (subject: Subject, rulebook: Rulebook) => (): unknown => decide(subject, rulebook)

function onlyPolicy(policies: PolicySet): Policy {
  const [policy] = policies.values()
  if (policy === undefined) throw new TypeError('no policy')
  return policy
}

const TWENTY = onlyPolicy(load(policyOf('policy-0', 20)))

const SUBJECTS: readonly (readonly [string, PodInfo])[] = [
  ['a pod that asks for nothing', { ...SUBJECT, annotations: {} }],
  ['the recorded pod, which asks for a limit of both directions', SUBJECT],
  [
    'one that has been admitted',
    {
      ...SUBJECT,
      annotations: {
        'iops-limit/read-iops': '2000',
        'iops-limit/write-iops': '1000',
        'iops-limit/read-bps': '200Mi',
        'iops-limit/write-bps': '100Mi',
        'iops-limit/policy': 'policy-0/everything-else',
        'iops-limit/defaulted': 'read-iops,write-iops,read-bps,write-bps',
      },
    },
  ],
]

function byPolicies(count: number): () => unknown {
  return decideOn({ namespace: NAMESPACE, pod: SUBJECT }, rulebookOf(multiply(TWENTY, count)))
}

function byRules(count: number): () => unknown {
  return decideOn({ namespace: NAMESPACE, pod: SUBJECT }, rulebookOf(load(policyOf('policy-0', count))))
}

/** Found in the map each time, as the server does. */
function byNamespaces(count: number): () => unknown {
  const namespaces = readNamespaces(count)
  const rulebook = rulebookOf(multiply(TWENTY, 50))
  const names = [...namespaces.keys()]
  let next = 0
  return () => {
    const namespace = namespaces.get(names[next++ % names.length] ?? '') ?? NAMESPACE
    return decide({ namespace, pod: SUBJECT }, rulebook)
  }
}

function readNamespaces(count: number): Namespaces {
  const { items } = listNamespaces(count) as {
    readonly items: readonly { readonly metadata: NamespaceInfo }[]
  }
  return new Map(items.map(({ metadata: { name, labels } }) => [name, { name, labels }]))
}

/** The whole way: JSON, review, decision, answer as JSON; the pod grows by its containers' environment. */
function byBytes(bytes: number): () => unknown {
  const review = structuredClone(RECORDED)
  const [container] = review.request.object.spec.containers
  if (container === undefined) throw new TypeError('the recorded pod has a container')
  const missing = bytes - JSON.stringify(review).length
  const variable = { name: 'A_VARIABLE', value: 'v'.repeat(60) }
  const env = Array.from(
    { length: Math.max(0, Math.floor(missing / (JSON.stringify(variable).length + 1))) },
    () => variable,
  )
  Object.assign(container, { env })
  const body = Buffer.from(JSON.stringify(review))
  const world = { ...rulebookOf(multiply(TWENTY, 50)), namespace: NAMESPACE }
  return () => {
    const parsed = parseReview(JSON.parse(body.toString()))
    return parsed.ok && JSON.stringify(answerReview(parsed.value, world).body)
  }
}

/** One rule whose selector has so many conditions, all of them met. */
function bySelectors(count: number): () => unknown {
  const matchExpressions = Array.from({ length: count }, (_, index) => ({
    key: `example.com/label-${index}`,
    operator: 'DoesNotExist',
  }))
  const rule = { name: 'one', selector: { matchExpressions }, default: { iops: 500 } }
  const policy = { ...(policyOf('policy-0', 1) as { spec: object }), spec: { rules: [rule] } }
  return decideOn({ namespace: NAMESPACE, pod: SUBJECT }, rulebookOf(load(policy)))
}

const GROWTHS: readonly (readonly [string, readonly number[], (count: number) => () => unknown])[] = [
  ['policies', [1, 10, 100, 1000], byPolicies],
  ['rules of the policy, the last of which decides', [1, 10, 100, 1000], byRules],
  ['namespaces', [10, 100, 1000, 10_000, 50_000], byNamespaces],
  ['bytes of the review, parsed and answered', [5_000, 20_000, 100_000, 400_000, 1_400_000], byBytes],
  ['conditions of a selector', [1, 5, 10, 25, 50], bySelectors],
]

const say = (text: string): void => void process.stdout.write(`${text}\n`)

say('| one decision, policy of 20 rules | µs | a second on one core |\n| --- | --: | --: |')
for (const [name, pod] of SUBJECTS) {
  const cost = measure(decideOn({ namespace: NAMESPACE, pod }, rulebookOf(multiply(TWENTY, 50))))
  say(`| ${name} | ${cost.toFixed(2)} | ${Math.round(1e6 / cost).toLocaleString('en')} |`)
}
const curves: Curve[] = []
say('\n| as these grow | µs each | a tenfold costs |\n| --- | --- | --- |')
for (const [name, counts, prepare] of GROWTHS) {
  const points = counts.map((count) => ({ x: count, y: measure(prepare(count)) }))
  curves.push({ name, points })
  const costs = points.map(({ x, y }) => `${x.toLocaleString('en')}: ${y.toFixed(y < 100 ? 1 : 0)}`)
  say(`| ${name} | ${costs.join(', ')} | ${findGrowth(points)} |`)
}
const [file] = process.argv.slice(2)
if (file !== undefined) writeFileSync(file, drawCurves(curves))
