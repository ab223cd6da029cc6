/** Input whose outcome the documentation shows as it really is. */
import { readFileSync } from 'node:fs'
import type { LimitName } from '../../contract/keys.ts'
import { answerReview } from '../../webhook/admission/answer.ts'
import { parseReview } from '../../webhook/admission/review.ts'
import { policiesOf } from '../support/policies.ts'
import { patchOf, type RecordedReview, reviewOf } from '../support/reviews.ts'

/** One mistake of each kind that is easily made. */
export const REFUSED_POLICY = `apiVersion: policy.iops-limit/v1alpha1
kind: IOLimitPolicy
metadata: {name: Gold}
spec:
  rules:
  - name: databases
    selector: "app in pg,mysql"
    default: {readIOPS: 2000, readBPS: 200MB}
    max:     {iops: 1000}
    min:     {writeIOPS: 0}
    exemptContainers: {nameRegexes: ["(?=sidecar)"]}
    limits:  {iops: 5}
`

/** What people write, rightly or not. */
export const WRITTEN_VALUES: readonly (readonly [LimitName, string])[] = [
  ['limit', '500'],
  ['limit', '0'],
  ['limit', 'max'],
  ['limit', '1'],
  ['limit', '4294967295'],
  ['limit', '1.5'],
  ['limit', '1e3'],
  ['limit', '1,000'],
  ['limit', '500 IOPS'],
  ['limit', '500k'],
  ['read-iops', '10Mi'],
  ['write-iops', '-1'],
  ['bps', '50Mi'],
  ['bps', '50M'],
  ['bps', '1.5Gi'],
  ['bps', '2e6'],
  ['bps', '500k'],
  ['bps', '1048576'],
  ['bps', '64K'],
  ['bps', '50MB/s'],
  ['bps', '400Mbit'],
  ['bps', '100m'],
  ['bps', 'unlimited'],
]

const GOLD = policiesOf(readFileSync(new URL('../fixtures/policies/gold.yaml', import.meta.url), 'utf8'))

interface Speech {
  readonly title: string
  readonly say: () => string
}

type Annotations = Readonly<Record<string, string>>

/** Pods labelled `app: db`, which the rule `databases` of the policy `gold` decides. */
export const SPEECHES: readonly Speech[] = [
  {
    title: 'Refused, with everything that is wrong at once',
    say: () => converse('enforce', { 'iops-limit/read-iops': '9000', 'iops-limit/bps': '50MB' }),
  },
  {
    title: 'Defaulted, without a word',
    say: () => converse('enforce', { 'iops-limit/limit': '1200' }),
  },
  {
    title: 'Keys of the older service, and one that is misspelt',
    say: () =>
      converse('enforce', {
        'kubediskguard.io/iops': '300',
        'nvme-iops': '400',
        'iops-limit/read_bps': '50Mi',
      }),
  },
  {
    title:
      'An override for a container that the pod does not have, and a mark that nobody but admission may write',
    say: () =>
      converse('enforce', { 'container.iops-limit/mian': 'read-iops=800', 'iops-limit/policy': 'mine/free' }),
  },
  {
    title: 'An update of a pod that stood above the max already',
    say: () => converse('enforce', { 'iops-limit/limit': '8000' }, { 'iops-limit/limit': '9000' }),
  },
  {
    title: 'The same pod in a namespace with the label `iops-limit/warn: gold` only',
    say: () => converse('warn', { 'iops-limit/limit': '9000' }),
  },
]

/** What a pod asks for, and what comes back. */
function converse(mode: string, asked: Annotations, before?: Annotations): string {
  const sent = reviewOf(asked, (review) => {
    if (before !== undefined) makeUpdate(review, before)
  })
  const review = parseReview(sent)
  if (!review.ok) throw new Error(JSON.stringify(review.problems))
  const namespace = { name: 'rec', labels: { [`iops-limit/${mode}`]: 'gold' } }
  const { body } = answerReview(review.value, { policies: GOLD, exemptNamespaces: [], namespace })
  const { warnings = [], status } = body.response
  return [
    ...(before === undefined ? [] : listAnnotations('the pod had', before)),
    ...listAnnotations('the pod asks', asked),
    ...(status === undefined ? [] : [`refused: ${status.message}`]),
    ...warnings.map((text) => `warning: ${text}`),
    ...patchOf(body).map(
      ({ op, path, value }) => `${op} ${keyOf(path)}${typeof value === 'string' ? `: "${value}"` : ''}`,
    ),
  ].join('\n')
}

function makeUpdate({ request }: RecordedReview, before: Annotations): void {
  request.operation = 'UPDATE'
  request.oldObject = structuredClone(request.object)
  if (request.oldObject !== null) request.oldObject.metadata.annotations = { ...before }
}

const listAnnotations = (what: string, annotations: Annotations): readonly string[] =>
  Object.entries(annotations).map(([key, value]) => `${what}: ${key}: "${value}"`)

const keyOf = (path: string): string => path.replace('/metadata/annotations/', '').replaceAll('~1', '/')
