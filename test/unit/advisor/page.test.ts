import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseUsagePage } from '../../../webhook/advisor/page.ts'

const NOW = 1_000_000

const usage = {
  readIOPS: 1,
  writeIOPS: 2.5,
  readBPS: 3,
  writeBPS: 4,
  seconds: 60.1,
  age: 12.3,
  source: 'cgroup',
}
const item = {
  namespace: 'a',
  pod: 'b',
  uid: 'u',
  container: null,
  path: '/x',
  device: '259:0',
  limit: {},
  usage,
}

const rowsOf = (items: readonly unknown[]): readonly unknown[] => {
  const page = parseUsagePage(JSON.stringify({ items, total: items.length }), NOW)
  return page.ok ? page.value.rows : []
}

describe('a page of an enforcer', () => {
  it('gives one row an item: when the rates ended, by our own clock', () => {
    expect(rowsOf([item, { ...item, container: 'pg' }])).toEqual(
      [null, 'pg'].map((container) => ({
        ...{ uid: 'u', container },
        usage: {
          rates: { readIOPS: 1, writeIOPS: 2.5, readBPS: 3, writeBPS: 4 },
          ...{ seconds: 60.1, at: NOW - 12_300 },
        },
      })),
    )
  })

  it('tells the next page, and nothing on the last', () => {
    expect(parseUsagePage('{"items": [], "continue": "abc"}', NOW)).toEqual({
      ok: true,
      value: { rows: [], next: 'abc' },
    })
    expect(parseUsagePage('{"items": [], "continue": ""}', NOW)).toEqual({ ok: true, value: { rows: [] } })
  })

  it.each([
    ['there is no sample yet', {}],
    ['there is a gap', { usage: { gap: 'rates begin anew', source: 'cgroup', age: 1 } }],
    ['a number is below 0', { usage: { ...usage, writeIOPS: -1 } }],
    ['a number is a text', { usage: { ...usage, readBPS: '3' } }],
    ['the average is over no time', { usage: { ...usage, seconds: 0 } }],
    ['the average is over more than a day', { usage: { ...usage, seconds: 86_401 } }],
    ['it is older than a day', { usage: { ...usage, age: 86_401 } }],
    ['usage is a list', { usage: [] }],
  ])('a row is without rates where %s', (_, change) => {
    expect(rowsOf([{ ...item, usage: undefined, ...change }])).toEqual([{ uid: 'u', container: null }])
  })

  it('a number that no double holds is none', () => {
    const text = JSON.stringify({ items: [item] }).replace('"writeIOPS":2.5', '"writeIOPS":1e999')
    expect(parseUsagePage(text, NOW)).toEqual({
      ok: true,
      value: { rows: [{ uid: 'u', container: null }] },
    })
  })

  it('leaves out what is no item, and keeps the others', () => {
    expect(rowsOf([null, 7, [], { uid: 'u' }, { uid: 1, container: null }, { container: 'a' }])).toEqual([])
    expect(rowsOf([{ ...item, uid: 3 }, item])).toHaveLength(1)
  })

  it.each([
    ['<html>', 'page: is missing, not a map; write a map of keys and values'],
    ['[]', 'page: is a list, not a map; write a map of keys and values'],
    ['{}', 'page.items: is missing, not a list; write a list'],
    ['{"items": {}}', 'page.items: is a map, not a list; write a list'],
  ])('%s is none', (text, message) => {
    const page = parseUsagePage(text, NOW)
    expect(
      page.ok ? [] : page.problems.map(({ field, reason, cure }) => `${field}: ${reason}; ${cure}`),
    ).toEqual([message])
  })

  it('never throws, and gives no number that is not finite and 0 or more', () => {
    const value = fc.oneof(fc.double(), fc.string(), fc.constant(null), fc.integer())
    const odd = fc.record(
      {
        uid: fc.oneof(fc.string(), value),
        container: fc.oneof(fc.string(), value),
        usage: fc.oneof(
          value,
          fc.record({
            readIOPS: value,
            writeIOPS: value,
            readBPS: value,
            writeBPS: value,
            seconds: value,
            age: value,
          }),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(odd), (items) => {
        const page = parseUsagePage(JSON.stringify({ items }), NOW)
        expect(page.ok).toBe(true)
        for (const row of page.ok ? page.value.rows : []) {
          if (row.usage === undefined) continue
          const numbers = [...Object.values(row.usage.rates), row.usage.seconds]
          expect(numbers.every((number) => Number.isFinite(number) && number >= 0)).toBe(true)
        }
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof parseUsagePage(text, NOW).ok).toBe('boolean')
      }),
    )
  })
})
