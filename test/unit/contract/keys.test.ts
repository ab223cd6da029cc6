import { expect, test } from 'vitest'
import {
  ADAPTED_KEY,
  AUDIT_LABEL,
  CONTAINER_PREFIX,
  DEFAULTED_KEY,
  DIMENSION_NAMES,
  ENFORCE_LABEL,
  EXEMPT_CONTAINERS_KEY,
  isIopsName,
  isOurKey,
  LIMIT_NAMES,
  limitKey,
  POLICY_KEY,
  SCOPE_KEY,
  SCOPES,
  WARN_LABEL,
  WRITER_ONLY_KEYS,
} from '../../../contract/keys.ts'
import {
  DIMENSIONS,
  isIopsDimension,
  isMore,
  MAX_BPS,
  MAX_IOPS,
  MIN_BPS,
  MIN_IOPS,
} from '../../../contract/limits.ts'
import { bad, formatProblem, messageOf, ok, quoteValue } from '../../../contract/problem.ts'

test('the keys are those that stand on pods and namespaces all over: renaming one breaks them', () => {
  expect(LIMIT_NAMES.map(limitKey)).toEqual([
    'iops-limit/limit',
    'iops-limit/read-iops',
    'iops-limit/write-iops',
    'iops-limit/bps',
    'iops-limit/read-bps',
    'iops-limit/write-bps',
  ])
  expect([SCOPE_KEY, CONTAINER_PREFIX, ...SCOPES]).toEqual([
    'iops-limit/scope',
    'container.iops-limit/',
    'pod',
    'container',
  ])
  expect(WRITER_ONLY_KEYS).toEqual([POLICY_KEY, DEFAULTED_KEY, EXEMPT_CONTAINERS_KEY, ADAPTED_KEY])
  expect(WRITER_ONLY_KEYS).toEqual([
    'iops-limit/policy',
    'iops-limit/defaulted',
    'iops-limit/exempt-containers',
    'iops-limit/adapted',
  ])
  expect([ENFORCE_LABEL, WARN_LABEL, AUDIT_LABEL]).toEqual([
    'iops-limit/enforce',
    'iops-limit/warn',
    'iops-limit/audit',
  ])
})

// k8s.io/apimachinery/pkg/util/validation, IsQualifiedName.
test('every key is one that the API server takes', () => {
  const keys = [...LIMIT_NAMES.map(limitKey), ...WRITER_ONLY_KEYS, SCOPE_KEY, `${CONTAINER_PREFIX}pg-0`]
  for (const key of keys) {
    expect(key).toMatch(/^[a-z\d]([-a-z\d.]{0,251}[a-z\d])?\/[a-z\d]([-a-z\d_.]{0,61}[a-z\d])?$/i)
  }
})

test.each([
  ['iops-limit/limit', true],
  ['iops-limit/anything', true],
  ['container.iops-limit/pg', true],
  ['iops-limit', false],
  ['my-iops-limit/limit', false],
  ['other.iops-limit/pg', false],
  ['kubediskguard.io/iops', false],
])('%s is ours: %s', (key, ours) => {
  expect(isOurKey(key)).toBe(ours)
})

test('each dimension has a key of its own and one that it shares, in one unit', () => {
  expect(DIMENSIONS).toEqual(Object.keys(DIMENSION_NAMES))
  for (const dimension of DIMENSIONS) {
    const { own, both } = DIMENSION_NAMES[dimension]
    expect(isIopsName(own)).toBe(isIopsDimension(dimension))
    expect(isIopsName(both)).toBe(isIopsDimension(dimension))
  }
})

test("the bounds are the kernel's", () => {
  expect([MIN_IOPS, MAX_IOPS]).toEqual([2n, 4_294_967_294n])
  expect([MIN_BPS, MAX_BPS]).toEqual([2n, 18_446_744_073_709_551_614n])
})

test.each([
  [5n, 4n, true],
  [4n, 4n, false],
  [3n, 4n, false],
  ['max', 4n, true],
  [4n, 'max', false],
  ['max', 'max', false],
] as const)('%s allows more than %s: %s', (a, b, more) => {
  expect(isMore(a, b)).toBe(more)
})

test('a problem reads as one sentence', () => {
  const problem = { field: 'iops-limit/limit', value: 'x', reason: 'is wrong', cure: 'write "y"' }
  expect(formatProblem(problem)).toBe('iops-limit/limit: "x" is wrong; write "y"')
  const { value, ...withoutValue } = problem
  expect(value).toBe('x')
  expect(formatProblem(withoutValue)).toBe('iops-limit/limit: is wrong; write "y"')
})

test.each([
  ['', '""'],
  ['a"b', '"a\\"b"'],
  ['a\nb\u0000', '"a\\nb\\u0000"'],
  ['x'.repeat(64), `"${'x'.repeat(64)}"`],
  ['x'.repeat(65), `"${'x'.repeat(64)}..."`],
])('%j is quoted as %s', (value, quoted) => {
  expect(quoteValue(value)).toBe(quoted)
})

test('a result is a value or problems', () => {
  const problem = { field: 'a', reason: 'is wrong', cure: 'write b' }
  expect(ok(5)).toEqual({ ok: true, value: 5 })
  expect(bad(problem, problem)).toEqual({ ok: false, problems: [problem, problem] })
})

test.each([
  [new RangeError('too far'), 'too far'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
  [{ code: 5 }, '[object Object]'],
])('what was thrown as %o says %s', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message)
})
