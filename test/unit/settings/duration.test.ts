import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration } from '../../../settings/option.ts'

test.each([
  ['0', 0],
  ['10', 10_000],
  ['1.5', 1500],
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['500ms', 500],
  ['1.5h', 5_400_000],
  ['1.25', 1250],
  ['1.25s', 1250],
  ['2h45m', 9_900_000],
  ['250us', 0.25],
  ['250µs', 0.25],
  ['1000000ns', 1],
])('%s is %d ms', (given, milliseconds) => {
  expect(parseDuration(given)).toBeCloseTo(milliseconds, 9)
})

test.each(['', 's', '-1s', '+1s', '1 s', '1d', '1sec', '1s1', '1..5s', '.s', '1e3s', 'ten', '10S', '10s\n'])(
  '%j is no duration',
  (given) => {
    expect(parseDuration(given)).toBeUndefined()
  },
)

test('minutes and seconds add up', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(1000), (minutes, seconds) => {
      expect(parseDuration(`${minutes}m${seconds}s`)).toBe(minutes * 60_000 + seconds * 1000)
    }),
  )
})
