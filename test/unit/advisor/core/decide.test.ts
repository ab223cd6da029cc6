import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Advice, advise } from '../../../../webhook/advisor/core/decide.ts'
import {
  addReading,
  EMPTY_HISTORY,
  type History,
  type Rates,
} from '../../../../webhook/advisor/core/history.ts'
import { formatAdapted, parseAdapted } from '../../../../webhook/policy/adapted.ts'
import { decide } from '../../../../webhook/policy/decide.ts'
import type { Rule } from '../../../../webhook/policy/policy.ts'
import type { PodInfo } from '../../../../webhook/policy/subject.ts'
import { policiesOf, policyText } from '../../../support/policies.ts'
import { changed, podOf, subjectOf } from '../../../support/subjects.ts'

const MINUTE = 60_000
const NOW = Date.UTC(2026, 10, 21, 12)
const KEY = 'iops-limit/adapted'

const ruleOf = (fields: string): Rule =>
  policiesOf(policyText('p', `{name: batch, ${fields}}`)).get('p')!.rules[0]!

const WINDOWS =
  'windows: [{over: 60m, above: {iops: 400}, limit: {iops: 300}}, {over: 15m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}]'
const BOUNDS = 'default: {iops: 2000}, max: {iops: 5000}, min: {iops: 100}'
const rule = ruleOf(`${BOUNDS}, adaptive: {${WINDOWS}}`)

/** The same rates for so many minutes up to now, or up to another time. */
const historyOf = (minutes: number, rates: Partial<Rates>, end = NOW, begin = EMPTY_HISTORY): History =>
  Array.from({ length: minutes }, (_, index) => end - (minutes - 1 - index) * MINUTE).reduce(
    (history, at) => addReading(history, readingOf(at, rates), 60 * MINUTE),
    begin,
  )

const readingOf = (at: number, rates: Partial<Rates>) => ({
  at,
  seconds: 60,
  rates: { readIOPS: 0, writeIOPS: 0, readBPS: 0, writeBPS: 0, ...rates },
})

type Texts = Readonly<Record<string, string>>
const DEFAULTED: Texts = {
  'iops-limit/policy': 'p/batch',
  'iops-limit/defaulted': 'read-iops,write-iops',
  'iops-limit/read-iops': '2000',
  'iops-limit/write-iops': '2000',
}

interface Given {
  readonly annotations?: Texts
  readonly rule?: Rule | undefined
  readonly history?: History
  readonly now?: number
  readonly pod?: Partial<PodInfo>
}

const ask = (given: Given): Advice =>
  advise({
    rule,
    history: EMPTY_HISTORY,
    now: NOW,
    ...given,
    pod: podOf({ annotations: given.annotations ?? DEFAULTED, ...given.pod }),
  })

const changesOf = (advice: Advice) => (advice.kind === 'none' ? undefined : advice.changes)
const noteOf = (annotations: Texts) => parseAdapted(annotations[KEY] ?? '')

describe('imposing', () => {
  test('a limit for the average over a window', () => {
    expect(ask({ history: historyOf(14, { writeIOPS: 2310 }) })).toEqual({
      kind: 'impose',
      mode: 'enforce',
      why: 'batch: write-iops 2310/s over 15m, above 800',
      changes: {
        set: {
          'iops-limit/write-iops': '500',
          [KEY]:
            '{"since":"2026-11-21T12:00:00.000Z","imposed":{"write-iops":"500"},"replaced":{"write-iops":null},"why":"batch: write-iops 2310/s over 15m, above 800"}',
        },
        remove: [],
      },
    })
  })

  test('the strictest of all windows that are exceeded, in each dimension', () => {
    const advice = ask({ history: historyOf(60, { writeIOPS: 900 }) })
    expect(advice).toMatchObject({ why: 'batch: write-iops 900/s over 60m, above 400' })
    expect(changesOf(advice)?.set).toMatchObject({
      'iops-limit/read-iops': '300',
      'iops-limit/write-iops': '300',
    })
    const reading = ask({ history: historyOf(60, { readIOPS: 401, writeIOPS: 900 }) })
    expect(reading).toMatchObject({
      why: 'batch: read-iops 401/s over 60m, above 400, write-iops 900/s over 60m, above 400',
    })
  })

  test('one window, another dimension of another: both are told', () => {
    const two = ruleOf(
      'adaptive: {windows: [{over: 1m, above: {iops: 5}, limit: {bps: 1Mi}}, {over: 2m, above: {readBPS: 1Mi}, limit: {readIOPS: 7}}]}',
    )
    expect(ask({ rule: two, history: historyOf(3, { readIOPS: 6, readBPS: 1.5 * 2 ** 20 }) })).toMatchObject({
      why: 'batch: read-bps 1.5Mi/s over 2m, above 1Mi; read-iops 6/s over 1m, above 5',
      changes: {
        set: { 'iops-limit/read-iops': '7', 'iops-limit/read-bps': '1Mi', 'iops-limit/write-bps': '1Mi' },
      },
    })
  })

  test('what a user wrote is remembered', () => {
    const annotations = { ...DEFAULTED, 'iops-limit/defaulted': 'read-iops', 'iops-limit/write-iops': '4000' }
    const advice = ask({ annotations, history: historyOf(15, { writeIOPS: 900 }) })
    expect(noteOf(changesOf(advice)!.set)?.replaced).toEqual({ 'write-iops': '4000' })
  })

  test('a key of both directions stands as it is', () => {
    const annotations = { 'iops-limit/limit': '4000', 'iops-limit/policy': 'p/batch' }
    const advice = ask({ annotations, history: historyOf(15, { writeIOPS: 900 }) })
    expect(changesOf(advice)).toMatchObject({ set: { 'iops-limit/write-iops': '500' }, remove: [] })
    expect(noteOf(changesOf(advice)!.set)?.replaced).toEqual({ 'write-iops': null })
  })

  test('within the bounds of the rule, whatever the window says', () => {
    if (rule.exempt) throw new Error('it limits')
    const [max, min] = [{ writeIOPS: 400n }, { writeIOPS: 600n }] as never[]
    const set = (bounds: object) =>
      changesOf(ask({ rule: { ...rule, ...bounds }, history: historyOf(15, { writeIOPS: 900 }) }))?.set
    expect(set({ max, min: {} })).toMatchObject({ 'iops-limit/write-iops': '400' })
    expect(set({ max: {}, min })).toMatchObject({ 'iops-limit/write-iops': '600' })
  })

  test('only told, where the rule reports', () => {
    const reporting = ruleOf(`${BOUNDS}, adaptive: {mode: report, ${WINDOWS}}`)
    expect(ask({ rule: reporting, history: historyOf(15, { writeIOPS: 900 }) })).toMatchObject({
      kind: 'impose',
      mode: 'report',
    })
  })

  test.each([
    ['calm', { history: historyOf(60, { writeIOPS: 400, readIOPS: 400 }) }],
    ['too little seen', { history: historyOf(13, { writeIOPS: 9000 }) }],
    ['too little seen', { history: historyOf(60, { writeIOPS: 9000 }, NOW - 4 * MINUTE) }],
    [
      'stricter already',
      {
        annotations: { 'iops-limit/write-iops': '500', 'iops-limit/policy': 'p/batch' },
        history: historyOf(15, { writeIOPS: 900 }),
      },
    ],
    ['not adaptive', { rule: ruleOf('max: {iops: 5}'), history: historyOf(60, { writeIOPS: 9000 }) }],
    ['not adaptive', { rule: ruleOf('exempt: true'), history: historyOf(60, { writeIOPS: 9000 }) }],
    ['not adaptive', { rule: undefined, history: historyOf(60, { writeIOPS: 9000 }) }],
    ['leaving', { pod: { deleting: true }, history: historyOf(60, { writeIOPS: 9000 }) }],
    [
      'leaving',
      { annotations: { 'kubernetes.io/config.mirror': 'x' }, history: historyOf(60, { writeIOPS: 9000 }) },
    ],
  ] satisfies readonly [string, Given][])('nothing: %s', (why, given) => {
    expect(ask(given)).toEqual({ kind: 'none', why })
  })
})

const imposed = (fields: object = {}): Texts => ({
  ...DEFAULTED,
  'iops-limit/defaulted': 'read-iops',
  'iops-limit/write-iops': '500',
  [KEY]: formatAdapted({
    since: new Date(NOW - 15 * MINUTE).toISOString(),
    imposed: { 'write-iops': '500' },
    replaced: { 'write-iops': null },
    why: 'batch: before',
    ...fields,
  }),
})

describe('what is imposed', () => {
  test('is tightened where a longer window is exceeded: what it replaced stays, and time begins anew', () => {
    const advice = ask({
      annotations: imposed({ replaced: { 'write-iops': '4000' } }),
      history: historyOf(60, { writeIOPS: 450 }),
    })
    expect(advice).toMatchObject({ kind: 'tighten', why: 'batch: write-iops 450/s over 60m, above 400' })
    expect(noteOf(changesOf(advice)!.set)).toEqual({
      since: '2026-11-21T12:00:00.000Z',
      imposed: { 'write-iops': '300', 'read-iops': '300' },
      replaced: { 'write-iops': '4000', 'read-iops': null },
      why: 'batch: write-iops 450/s over 60m, above 400',
    })
  })

  test('is held, however calm the pod is', () => {
    const since = new Date(NOW - 15 * MINUTE + 1).toISOString()
    expect(ask({ annotations: imposed({ since }), history: historyOf(60, {}) })).toEqual({
      kind: 'none',
      why: 'held',
    })
  })

  test('is released once the pod is calm, held against the limit itself', () => {
    expect(ask({ annotations: imposed(), history: historyOf(10, { writeIOPS: 249 }) })).toEqual({
      kind: 'release',
      mode: 'enforce',
      why: 'batch: write-iops 249/s over 10m, below 0.5 of 500',
      changes: { set: {}, remove: [KEY, 'iops-limit/write-iops'] },
    })
  })

  test.each([
    ['busy', historyOf(10, { writeIOPS: 250 })],
    ['busy', historyOf(10, { writeIOPS: 499 })],
    ['too little seen', historyOf(8, {})],
    ['too little seen', EMPTY_HISTORY],
  ])('stands: %s', (why, history) => {
    expect(ask({ annotations: imposed(), history })).toEqual({ kind: 'none', why })
  })

  test('stands while one of its dimensions is busy', () => {
    const both = {
      ...imposed({
        imposed: { 'write-iops': '500', 'read-bps': '1Mi' },
        replaced: { 'write-iops': null, 'read-bps': null },
      }),
      'iops-limit/read-bps': '1Mi',
    }
    const busy = historyOf(10, { readBPS: 2 ** 19 })
    expect(ask({ annotations: both, history: busy })).toEqual({ kind: 'none', why: 'busy' })
    expect(ask({ annotations: both, history: historyOf(10, { readBPS: 2 ** 19 - 1 }) })).toMatchObject({
      kind: 'release',
      why: 'batch: write-iops 0/s over 10m, below 0.5 of 500, read-bps 512Ki/s over 10m, below 0.5 of 1Mi',
    })
  })

  test.each([
    ['its rule adapts no limits any more', ruleOf(BOUNDS)],
    ['its rule adapts no limits any more', ruleOf('exempt: true')],
    ['its rule adapts no limits any more', undefined],
    ['batch only reports now', ruleOf(`${BOUNDS}, adaptive: {mode: report, ${WINDOWS}}`)],
    [
      "batch: what was imposed is out of today's bounds",
      ruleOf(
        'default: {iops: 400}, max: {iops: 400}, adaptive: {windows: [{over: 15m, above: {iops: 300}, limit: {iops: 300}}]}',
      ),
    ],
    [
      "batch: what was imposed is out of today's bounds",
      ruleOf('min: {iops: 501}, adaptive: {windows: [{over: 15m, above: {iops: 900}, limit: {iops: 900}}]}'),
    ],
  ])('is released at once: %s', (why, now) => {
    expect(ask({ annotations: imposed(), rule: now, history: historyOf(60, { writeIOPS: 500 }) })).toEqual({
      kind: 'release',
      mode: 'enforce',
      why,
      changes: { set: {}, remove: [KEY, 'iops-limit/write-iops'] },
    })
  })

  test('gives back what stood there, as far as the rule lets a pod have it today', () => {
    const release = (before: string, fields: string) =>
      changesOf(
        ask({
          annotations: imposed({ replaced: { 'write-iops': before } }),
          rule: ruleOf(fields),
          history: historyOf(10, {}),
        }),
      )
    const adaptive = `adaptive: {${WINDOWS}}`
    const back = (text: string) => ({ set: { 'iops-limit/write-iops': text }, remove: [KEY] })
    expect(release('4000', `max: {iops: 5000}, ${adaptive}`)).toEqual(back('4000'))
    expect(release('4000', `max: {iops: 1000}, ${adaptive}`)).toEqual(back('1000'))
    expect(release('max', `max: {iops: 1000}, ${adaptive}`)).toEqual(back('1000'))
    expect(release('max', adaptive)).toEqual(back('max'))
  })

  test('and so where a key of both directions decides then', () => {
    const annotations = { ...imposed(), 'iops-limit/limit': '4000' }
    const now = ruleOf(`max: {iops: 1000}, adaptive: {${WINDOWS}}`)
    expect(changesOf(ask({ annotations, rule: now, history: historyOf(10, {}) }))).toEqual({
      set: { 'iops-limit/write-iops': '1000' },
      remove: [KEY],
    })
  })
})

describe('a limit that a person lifts', () => {
  const LIFTED = { ...imposed(), 'iops-limit/write-iops': '1500' }

  test('is noted, and what else is imposed goes with it', () => {
    const two = {
      ...imposed({
        imposed: { 'write-iops': '500', 'read-iops': '300' },
        replaced: { 'write-iops': null, 'read-iops': '800' },
      }),
      'iops-limit/write-iops': '1500',
      'iops-limit/read-iops': '300',
    }
    expect(ask({ annotations: two, history: historyOf(60, { writeIOPS: 9000 }) })).toEqual({
      kind: 'lifted',
      mode: 'enforce',
      why: 'batch: somebody changed what was imposed',
      changes: {
        set: {
          'iops-limit/read-iops': '800',
          [KEY]:
            '{"since":"2026-11-21T11:45:00.000Z","imposed":{},"replaced":{},"why":"batch: before","lifted":"2026-11-21T12:00:00.000Z"}',
        },
        remove: [],
      },
    })
  })

  test('is noted, and what else is imposed where nothing stood before is removed, so that the default comes back', () => {
    const two = {
      ...imposed({
        imposed: { 'write-iops': '500', 'read-iops': '300' },
        replaced: { 'write-iops': null, 'read-iops': null },
      }),
      'iops-limit/write-iops': '1500',
      'iops-limit/read-iops': '300',
    }
    const changes = changesOf(ask({ annotations: two, history: historyOf(60, { writeIOPS: 9000 }) }))
    expect(changes?.remove).toEqual(['iops-limit/read-iops'])
    expect(Object.keys(changes?.set ?? {})).toEqual([KEY])
  })

  test('is gone likewise: the default came back', () => {
    const gone = changed(imposed(), { set: {}, remove: ['iops-limit/write-iops'] })
    expect(ask({ annotations: gone }).kind).toBe('lifted')
    expect(ask({ annotations: { ...imposed(), 'iops-limit/write-iops': '2000' } }).kind).toBe('lifted')
  })

  test('stays lifted', () => {
    const annotations = changed(LIFTED, changesOf(ask({ annotations: LIFTED }))!)
    expect(ask({ annotations, history: historyOf(60, { writeIOPS: 9000 }) })).toEqual({
      kind: 'none',
      why: 'lifted',
    })
  })

  test('is the person’s, where the rule adapts nothing any more', () => {
    expect(changesOf(ask({ annotations: LIFTED, rule: ruleOf(BOUNDS) }))).toEqual({ set: {}, remove: [KEY] })
  })
})

describe('at any load, under any rule', () => {
  const number = fc.constantFrom(100, 200, 300, 500, 800, 1500)
  const window = fc.record({
    over: fc.constantFrom('2m', '5m', '10m'),
    above: number,
    limit: number,
    dimension: fc.constantFrom('iops', 'readIOPS', 'writeIOPS'),
  })
  const anyRule = fc
    .record({
      windows: fc.uniqueArray(window, { minLength: 1, maxLength: 3, selector: ({ over }) => over }),
      hold: fc.constantFrom('1m', '5m', '20m'),
      length: fc.constantFrom('1m', '3m', '10m'),
      below: fc.constantFrom(0.2, 0.5, 0.9),
    })
    .map(({ windows, hold, length, below }) =>
      ruleOf(
        `default: {iops: 1200}, max: {iops: 2000}, min: {iops: 100}, adaptive: {hold: ${hold}, release: {below: ${below}, for: ${length}}, windows: [${windows
          .map(
            ({ over, above, limit, dimension }) =>
              `{over: ${over}, above: {${dimension}: ${above}}, limit: {${dimension}: ${Math.min(above, limit)}}}`,
          )
          .join(', ')}]}`,
      ),
    )
  const load = fc.array(
    fc.record({
      writeIOPS: fc.constantFrom(0, 50, 400, 5000),
      readIOPS: fc.constantFrom(0, 50, 400, 5000),
      isMissed: fc.constantFrom(false, false, false, false, false, true),
    }),
    { minLength: 5, maxLength: 90 },
  )
  const own = fc.constantFrom<Texts>({}, { 'iops-limit/write-iops': '150' }, { 'iops-limit/limit': '1900' })

  test('bounds and hold are respected, nothing is loosened but by a release, admission agrees, and words are kept', () => {
    let acts = 0
    fc.assert(
      fc.property(anyRule, load, own, (given, minutes, asked) => {
        if (given.exempt || given.adaptive === undefined) throw new Error('it adapts')
        const policies = new Map([['p', { name: 'p', rules: [given], exemptNamespaces: [] }]])
        const admit = (after: Texts, before?: Texts): Texts => {
          const subject = subjectOf(
            { enforce: 'p' },
            { annotations: after },
            before && { annotations: before },
          )
          const verdict = decide({ ...subject, isOwn: true }, { policies, exemptNamespaces: [] })
          expect(verdict.refusal).toBeUndefined()
          return changed(after, verdict.changes)
        }
        const first = admit(asked)
        let [annotations, history] = [first, EMPTY_HISTORY]
        minutes.forEach(({ isMissed, ...rates }, index) => {
          const now = NOW + index * MINUTE
          const limit = Number(annotations['iops-limit/write-iops'] ?? annotations['iops-limit/limit'])
          const real = { ...rates, writeIOPS: Math.min(rates.writeIOPS, limit) }
          if (!isMissed) history = addReading(history, readingOf(now, real), 10 * MINUTE)
          const advice = ask({ annotations, rule: given, history, now })
          if (advice.kind === 'none') return
          acts++
          const before = noteOf(annotations)
          const stored = admit(changed(annotations, advice.changes), annotations)
          if (advice.kind === 'release') {
            expect(now).toBeGreaterThanOrEqual(Date.parse(before!.since) + given.adaptive!.hold)
            expect(stored).toEqual(first)
            history = EMPTY_HISTORY
          } else {
            expect(['impose', 'tighten']).toContain(advice.kind)
            expect(before === undefined).toBe(advice.kind === 'impose')
            for (const [name, text] of Object.entries(noteOf(stored)!.imposed)) {
              const key = `iops-limit/${name}`
              expect(stored[key]).toBe(text)
              expect(Number(text)).toBeGreaterThanOrEqual(100)
              expect(Number(text)).toBeLessThanOrEqual(
                Number(annotations[key] ?? annotations['iops-limit/limit'] ?? 2000),
              )
            }
          }
          annotations = stored
        })
      }),
      { numRuns: 300 },
    )
    expect(acts).toBeGreaterThan(100)
  })
})
