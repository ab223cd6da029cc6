/** Who the advisor is: the one user that the webhook knows as itself. */
import { describe, expect, test } from 'vitest'
import { answerReview, type World } from '../../../webhook/admission/answer.ts'
import { planBackfill, readStandingPod } from '../../../webhook/admission/backfill.ts'
import { parseReview } from '../../../webhook/admission/review.ts'
import { answerValidation } from '../../../webhook/admission/validate.ts'
import { parseValidation } from '../../../webhook/admission/validation.ts'
import { formatAdapted } from '../../../webhook/policy/adapted.ts'
import { admittedBy, imposedOn } from '../../support/adaptive/annotations.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { patchOf, recordedReview } from '../../support/reviews.ts'

const SELF = 'system:serviceaccount:iops-limit:iops-limit-webhook'
const KEY = 'iops-limit/adapted'
const NOTE = formatAdapted({
  since: '2026-11-21T12:00:00.000Z',
  imposed: { 'write-iops': '500' },
  replaced: { 'write-iops': null },
  why: 'all: busy',
})
const BEFORE = admittedBy('p/all')
const ADAPTED = imposedOn(BEFORE, NOTE)

/** The update from one to the other that this user asks for. */
function updateBy(userInfo: unknown, after: Readonly<Record<string, string>>): unknown {
  const review = recordedReview('05')
  const { object } = review.request
  if (object === null) throw new Error('recorded review 05 has no object')
  const withAnnotations = (annotations: Readonly<Record<string, string>>) => ({
    ...object,
    metadata: { ...object.metadata, annotations },
  })
  Object.assign(review.request, {
    operation: 'UPDATE',
    userInfo,
    oldObject: withAnnotations(BEFORE),
    object: withAnnotations(after),
  })
  return review
}

const worldOf = (self?: string): World => ({
  policies: policiesOf(policyText('p', '{name: all, default: {iops: 2000}, max: {iops: 9000}}')),
  exemptNamespaces: [],
  namespace: { name: 'rec', labels: { 'iops-limit/enforce': 'p' } },
  ...(self !== undefined && { self }),
})

function isTaken(userInfo: unknown, self?: string): boolean {
  const review = parseReview(updateBy(userInfo, { ...BEFORE, 'iops-limit/write-iops': '500', [KEY]: NOTE }))
  if (!review.ok) throw new Error(JSON.stringify(review.problems))
  const paths = patchOf(answerReview(review.value, worldOf(self)).body).map(({ path }) => path)
  return !paths.includes(`/metadata/annotations/${KEY.replace('/', '~1')}`)
}

function isHeld(userInfo: unknown, self?: string): boolean {
  const review = parseValidation(updateBy(userInfo, ADAPTED))
  if (!review.ok) throw new Error(JSON.stringify(review.problems))
  return answerValidation(review.value, { ...worldOf(self), namespaces: [] }).record.outcome === 'allowed'
}

describe('the note of the advisor', () => {
  test('is taken from the own user, at both looks', () => {
    expect([isTaken({ username: SELF }, SELF), isHeld({ username: SELF }, SELF)]).toEqual([true, true])
  })

  test.each([
    [{ username: 'alice' }, SELF],
    [{ username: `${SELF}2` }, SELF],
    [{ username: [SELF] }, SELF],
    [{ username: 5 }, SELF],
    [{}, SELF],
    [SELF, SELF],
    [null, SELF],
    [undefined, SELF],
    [{ username: SELF }, undefined],
    [{ username: '' }, ''],
    [undefined, ''],
  ])('and from nobody else: %j where the own user is %j', (userInfo, self) => {
    expect([isTaken(userInfo, self), isHeld(userInfo, self)]).toEqual([false, false])
  })
})

test('what the advisor wrote while no webhook answered is no default, whatever the list still says', () => {
  const entry = (manager: string, time: string, ...keys: readonly string[]) => ({
    manager,
    time,
    fieldsV1: { 'f:metadata': { 'f:annotations': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } },
  })
  const pod = readStandingPod({
    metadata: {
      ...{
        namespace: 'rec',
        name: 'one',
        uid: 'u',
        resourceVersion: '7',
        creationTimestamp: '2026-11-21T11:00:00Z',
      },
      annotations: { ...BEFORE, 'iops-limit/write-iops': '500', [KEY]: NOTE },
      managedFields: [
        entry('iops-limit-backfill', '2026-11-21T11:00:01Z', ...Object.keys(BEFORE)),
        entry('iops-limit-advisor', '2026-11-21T12:00:00Z', 'iops-limit/write-iops', KEY),
      ],
    },
    spec: { containers: [{ name: 'main', image: 'i' }] },
  })
  const { namespace, ...rulebook } = worldOf(SELF)
  expect(planBackfill(pod!, namespace!, rulebook)?.patch?.metadata.annotations).toEqual({
    'iops-limit/defaulted': 'read-iops',
  })
})
