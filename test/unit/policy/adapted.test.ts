/** The advisor's annotation: whose it is, and what becomes of it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Adapted, formatAdapted, parseAdapted, planRelease } from '../../../webhook/policy/adapted.ts'
import { decide } from '../../../webhook/policy/decide.ts'
import { decideFinal } from '../../../webhook/policy/final.ts'
import { preview } from '../../../webhook/policy/preview.ts'
import { decideStanding } from '../../../webhook/policy/standing.ts'
import { admittedBy, imposedOn } from '../../support/adaptive/annotations.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { changed, podOf, subjectOf } from '../../support/subjects.ts'

const ADAPTED: Adapted = {
  since: '2026-11-21T14:00:00.000Z',
  imposed: { 'write-iops': '500' },
  replaced: { 'write-iops': null },
  why: 'batch: write-iops 2310/s over 15m, above 800',
}
const TEXT = formatAdapted(ADAPTED)
const KEY = 'iops-limit/adapted'

describe('the annotation', () => {
  test('is one line of JSON', () => {
    expect(TEXT).toBe(
      '{"since":"2026-11-21T14:00:00.000Z","imposed":{"write-iops":"500"},"replaced":{"write-iops":null},"why":"batch: write-iops 2310/s over 15m, above 800"}',
    )
  })

  const values = fc.constantFrom('2', '500', '4294967294')
  const rates = fc.constantFrom('2', '50Mi', '1G')
  const time = fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') })
    .map((date) => date.toISOString())
  const adapted = fc.record(
    {
      since: time,
      imposed: fc.record({ 'read-iops': values, 'write-bps': rates }, { requiredKeys: [] }),
      replaced: fc.record(
        { 'read-iops': fc.option(fc.string()), 'write-bps': fc.option(rates) },
        { requiredKeys: [] },
      ),
      why: fc.string(),
      lifted: time,
    },
    { requiredKeys: ['since', 'imposed', 'replaced', 'why'] },
  )

  test('is read as it was written', () => {
    fc.assert(
      fc.property(adapted, (given) => {
        expect(parseAdapted(formatAdapted(given))).toEqual(given)
      }),
    )
  })

  test.each([
    '',
    'null',
    '5',
    '[]',
    '{}',
    '{"since":',
    TEXT.replace('2026-11-21T14:00:00.000Z', 'yesterday'),
    TEXT.replace('"500"', '500'),
    TEXT.replace('"500"', '"much"'),
    TEXT.replace('"imposed":{"write-iops"', '"imposed":{"limit"'),
    TEXT.replace('null', '5'),
    TEXT.replace('"why":"', '"because":"'),
    TEXT.replace('}', '},"more":1'),
    TEXT.slice(0, -1).concat(',"lifted":""}'),
    TEXT.slice(0, -1).concat(',"lifted":5}'),
    TEXT.replace('batch', 'x'.repeat(4096)),
    '{"since":"2026-11-21T14:00:00.000Z","imposed":[],"replaced":{},"why":""}',
  ])('%s is not ours', (text) => {
    expect(parseAdapted(text)).toBeUndefined()
  })

  test('no text breaks it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const parsed = parseAdapted(text)
        expect(parsed === undefined || formatAdapted(parsed).length > 0).toBe(true)
      }),
    )
  })
})

describe('a release', () => {
  test('takes away what replaced nothing of the user, and gives back what did', () => {
    const adapted = {
      ...ADAPTED,
      imposed: { 'write-iops': '500', 'read-iops': '300' },
      replaced: { 'write-iops': null, 'read-iops': '4000' },
    }
    const annotations = { 'iops-limit/write-iops': '500', 'iops-limit/read-iops': '300', [KEY]: TEXT, a: 'b' }
    expect(planRelease(adapted, annotations)).toEqual({
      set: { 'iops-limit/read-iops': '4000' },
      remove: [KEY, 'iops-limit/write-iops'],
    })
  })

  test('leaves what somebody has changed since', () => {
    expect(planRelease(ADAPTED, { 'iops-limit/write-iops': '900', [KEY]: TEXT })).toEqual({
      set: {},
      remove: [KEY],
    })
    expect(planRelease(ADAPTED, {})).toEqual({ set: {}, remove: [] })
  })
})

const WINDOWS = 'adaptive: {windows: [{over: 15m, above: {iops: 800}, limit: {iops: 500}}]}'
const policies = policiesOf(
  policyText(
    'p',
    '{name: left, selector: "app=left", exempt: true}',
    '{name: none, selector: "app=none", max: {iops: 9000}}',
    `{name: batch, default: {iops: 2000}, max: {iops: 5000}, min: {iops: 100}, ${WINDOWS}}`,
  ),
)
const rulebook = { policies, exemptNamespaces: [] }
const admitted = admittedBy('p/batch')
const adapted = imposedOn(admitted, TEXT)
const FORGED = formatAdapted({ ...ADAPTED, imposed: {}, replaced: {}, lifted: ADAPTED.since })

type Texts = Readonly<Record<string, string>>

/** What is stored of an update from one to the other, behind the webhook. */
function store(after: Texts, before: Texts | undefined, isOwn = false, mode = 'enforce'): Texts {
  const subject = subjectOf(
    mode === '' ? {} : { [mode]: 'p' },
    { annotations: after },
    before && { annotations: before },
  )
  const verdict = decide({ ...subject, isOwn }, rulebook)
  expect(verdict.refusal).toBeUndefined()
  return changed(after, verdict.changes)
}

describe('admission', () => {
  test('lets the advisor impose, and the value is no default any more', () => {
    expect(store({ ...admitted, 'iops-limit/write-iops': '500', [KEY]: TEXT }, admitted, true)).toEqual(
      adapted,
    )
  })

  test('fills the default in again where the advisor releases', () => {
    const released = changed(adapted, { set: {}, remove: [KEY, 'iops-limit/write-iops'] })
    expect(store(released, adapted, true)).toEqual(admitted)
  })

  test('holds the advisor to the bounds of the rule like anybody', () => {
    const subject = subjectOf(
      { enforce: 'p' },
      { annotations: { ...admitted, 'iops-limit/write-iops': '50', [KEY]: TEXT } },
      { annotations: admitted },
    )
    expect(decide({ ...subject, isOwn: true }, rulebook).refusal).toBe(
      'policy p, rule batch: iops-limit/write-iops "50" is below the min of 100 for writeIOPS; write 100 or more',
    )
  })

  test.each([
    ['changes', { ...adapted, [KEY]: FORGED }],
    ['takes away', Object.fromEntries(Object.entries(adapted).filter(([key]) => key !== KEY))],
  ])('puts back what anybody else %s', (_, after) => {
    expect(store(after, adapted)).toEqual(adapted)
  })

  test('drops what anybody else writes, and says so', () => {
    const subject = subjectOf(
      { enforce: 'p' },
      { annotations: { ...admitted, [KEY]: FORGED } },
      { annotations: admitted },
    )
    const { warnings, changes } = decide(subject, rulebook)
    expect(warnings).toEqual(['iops-limit/adapted is written by admission only: the given value was dropped'])
    expect(changed(subject.pod.annotations, changes)).toEqual(admitted)
  })

  test.each([true, false])('of a new pod nobody says what it did, own user or not: %s', (isOwn) => {
    expect(store({ [KEY]: FORGED }, undefined, isOwn)).toEqual(admitted)
    expect(store({ [KEY]: FORGED }, undefined, isOwn, '')).toEqual({})
  })

  test('a person may change what is imposed, and the note stands', () => {
    expect(store({ ...adapted, 'iops-limit/write-iops': '900' }, adapted)).toEqual({
      ...adapted,
      'iops-limit/write-iops': '900',
    })
  })

  test('where no policy is in force, what anybody else changes is put back, and the advisor may', () => {
    expect(store({ ...adapted, [KEY]: FORGED }, adapted, false, '')).toEqual(adapted)
    expect(store({ ...adapted, [KEY]: FORGED }, adapted, true, '')).toEqual({ ...adapted, [KEY]: FORGED })
    expect(store({ [KEY]: FORGED }, {}, false, '')).toEqual({})
  })

  test('a pod of an exempt rule keeps the note until the advisor comes', () => {
    const subject = subjectOf(
      { enforce: 'p' },
      { labels: { app: 'left' }, annotations: adapted },
      { annotations: adapted },
    )
    expect(decide(subject, rulebook).changes).toMatchObject({ set: {} })
    expect(decide(subject, rulebook).changes.remove).not.toContain(KEY)
  })
})

describe('the second look', () => {
  const look = (annotations: Texts, before: Texts | undefined, isOwn = false) =>
    decideFinal(
      { ...subjectOf({ enforce: 'p' }, { annotations }, before && { annotations: before }), isOwn },
      rulebook,
    )

  test('takes what the advisor wrote', () => {
    expect(look(adapted, admitted, true)).toEqual({ kind: 'allowed', policy: 'p', rule: 'batch' })
    expect(look(admitted, adapted, true)).toEqual({ kind: 'allowed', policy: 'p', rule: 'batch' })
  })

  test('and what anybody does beside it', () => {
    expect(look({ ...adapted, 'iops-limit/write-iops': '900' }, adapted).kind).toBe('allowed')
    expect(look({ ...adapted, other: 'x' }, adapted)).toEqual({ kind: 'allowed', aside: 'unchanged' })
  })

  test.each([
    ['forged', { ...admitted, [KEY]: FORGED }, admitted, 'nothing'],
    [
      'forged anew',
      { ...adapted, [KEY]: FORGED },
      adapted,
      `"${TEXT.slice(0, 64).replaceAll('"', '\\"')}..."`,
    ],
    ['on a new pod', { ...admitted, [KEY]: FORGED }, undefined, 'nothing'],
  ])('refuses one that was %s behind admission', (_, after, before, expected) => {
    const final = look(after, before)
    expect(final).toMatchObject({
      kind: 'refused',
      violations: [
        `iops-limit/adapted is "${FORGED.slice(0, 64).replaceAll('"', '\\"')}..." where admission wrote ${expected}`,
      ],
    })
  })
})

describe('a pod that stands', () => {
  const standing = (labels: Texts, annotations: Texts) =>
    decideStanding({ ...subjectOf(labels, { annotations }) }, rulebook)

  test('keeps what is imposed', () => {
    expect(standing({ enforce: 'p' }, adapted)?.changes).toEqual({ set: {}, remove: [] })
  })

  test('loses it with the label: nothing imposed is left as if a user had written it', () => {
    const own = { ...ADAPTED, replaced: { 'write-iops': '4000' } }
    expect(changed(adapted, standing({}, adapted)!.changes)).toEqual({})
    expect(
      changed(
        { ...adapted, [KEY]: formatAdapted(own) },
        standing({}, { ...adapted, [KEY]: formatAdapted(own) })!.changes,
      ),
    ).toEqual({ 'iops-limit/write-iops': '4000' })
    expect(changed({ ...adapted, [KEY]: 'x' }, standing({}, { ...adapted, [KEY]: 'x' })!.changes)).toEqual({
      'iops-limit/write-iops': '500',
    })
  })

  test('is previewed with it', () => {
    const { namespace } = subjectOf({ enforce: 'p' }, {})
    expect(
      preview('iops-limit/enforce', { namespace, pod: podOf({ annotations: adapted }) }, rulebook)?.change,
    ).toBe('')
  })
})

describe('whatever is asked', () => {
  const note = fc.constantFrom(undefined, TEXT, FORGED, 'x')
  const value = fc.constantFrom(undefined, '500', '900', '2000')
  const state = fc
    .tuple(note, value, value, fc.constantFrom(undefined, 'read-iops', 'read-iops,write-iops'))
    .map(
      ([adaptedText, read, write, listed]): Texts =>
        Object.fromEntries(
          Object.entries({
            [KEY]: adaptedText,
            'iops-limit/read-iops': read,
            'iops-limit/write-iops': write,
            'iops-limit/defaulted': listed,
            'iops-limit/policy': 'p/batch',
          }).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])),
        ),
    )
  const app = fc.constantFrom('', 'left', 'none')

  test('asked again, admission changes nothing', () => {
    fc.assert(
      fc.property(
        state,
        fc.option(state, { nil: undefined }),
        app,
        fc.boolean(),
        (after, before, name, isOwn) => {
          const ask = (annotations: Texts) => {
            const subject = subjectOf(
              { enforce: 'p' },
              { annotations, labels: { app: name } },
              before && { annotations: before },
            )
            return changed(annotations, decide({ ...subject, isOwn }, rulebook).changes)
          }
          const once = ask(after)
          expect(ask(once)).toEqual(once)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('nobody but the advisor gets at the note where a policy is in force', () => {
    fc.assert(
      fc.property(state, fc.option(state, { nil: undefined }), app, (after, before, name) => {
        const subject = subjectOf(
          { enforce: 'p' },
          { annotations: after, labels: { app: name } },
          before && { annotations: before },
        )
        const verdict = decide(subject, rulebook)
        expect(changed(after, verdict.changes)[KEY]).toBe(before?.[KEY])
      }),
      { numRuns: 500 },
    )
  })
})
