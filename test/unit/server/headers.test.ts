import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDeadlines, findDeadline, findHeaderRejection } from '../../../webhook/server/headers.ts'

describe('findHeaderRejection', () => {
  const json = { 'content-type': 'application/json' }

  test.each([
    'application/json',
    'Application/JSON',
    ' application/json ; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=utf8; q=1',
    'application/json;',
  ])('takes %j', (type) => {
    expect(findHeaderRejection({ 'content-type': type }, 10)).toBeUndefined()
  })

  test.each([
    ['text/plain', 'Content-Type "text/plain" is not read here: send application/json in UTF-8'],
    [
      'application/jsonp',
      'Content-Type "application/jsonp" is not read here: send application/json in UTF-8',
    ],
    [
      'application/json; charset=latin1',
      'Content-Type "application/json; charset=latin1" is not read here: send application/json in UTF-8',
    ],
    ['', 'Content-Type "" is not read here: send application/json in UTF-8'],
    [undefined, 'Content-Type is missing: send application/json in UTF-8'],
  ])('refuses the type %j', (type, message) => {
    const headers = type === undefined ? {} : { 'content-type': type }
    expect(findHeaderRejection(headers, 10)).toEqual({ status: 415, reason: 'wrong-content-type', message })
  })

  test('refuses any encoding but identity', () => {
    expect(findHeaderRejection({ ...json, 'content-encoding': 'Identity' }, 10)).toBeUndefined()
    expect(findHeaderRejection({ ...json, 'content-encoding': 'gzip' }, 10)).toEqual({
      status: 415,
      reason: 'wrong-content-encoding',
      message: 'Content-Encoding "gzip" is not read here: send the body as it is',
    })
  })

  test('refuses a length above the bound, and not the bound itself', () => {
    expect(findHeaderRejection({ ...json, 'content-length': '10' }, 10)).toBeUndefined()
    expect(findHeaderRejection({ ...json, 'content-length': '11' }, 10)).toEqual({
      status: 413,
      reason: 'body-too-large',
      message: 'the body has more than 10 bytes: send a smaller object, or raise --max-body-bytes',
    })
  })
})

describe('findDeadline', () => {
  test.each([
    ['/mutate?timeout=2s', 2000],
    ['/mutate?timeout=1500ms', 1500],
    ['/mutate?a=b&timeout=0.5s', 500],
    ['/mutate?timeout=30s', 10_000],
    ['/mutate?timeout=999999h', 10_000],
    ['/mutate', 10_000],
    ['/mutate?', 10_000],
    ['/mutate?timeout=', 10_000],
    ['/mutate?timeout=0s', 10_000],
    ['/mutate?timeout=-5s', 10_000],
    ['/mutate?timeout=soon', 10_000],
    ['/mutate?timeout=%', 10_000],
    ['/mutate?timeout=1e9s', 10_000],
    ['/mutate?timeout=NaN', 10_000],
    ['/mutate?timeout=1s&timeout=2s', 1000],
  ])('%s: %i ms', (url, milliseconds) => {
    expect(findDeadline(url, 10_000)).toBe(milliseconds)
  })

  test('is always more than nothing and never more than the longest', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = findDeadline(`/mutate?timeout=${text}`, 10_000)
        expect(found > 0 && found <= 10_000).toBe(true)
      }),
    )
  })
})

test('createDeadlines says the same, whatever was asked before', () => {
  const find = createDeadlines(10_000)
  const urls = ['/mutate', '/mutate?timeout=2s', '/mutate?timeout=2s', '', '/mutate?timeout=1s', '/mutate']
  expect(urls.map(find)).toEqual(urls.map((url) => findDeadline(url, 10_000)))
})
