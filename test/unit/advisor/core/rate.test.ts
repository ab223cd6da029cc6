import { expect, test } from 'vitest'
import { formatRate } from '../../../../webhook/advisor/core/rate.ts'

test.each([
  ['writeIOPS', 2309.6, 'write-iops 2310/s'],
  ['readIOPS', 0, 'read-iops 0/s'],
  ['readBPS', 0, 'read-bps 0/s'],
  ['readBPS', 1023, 'read-bps 1023/s'],
  ['readBPS', 1024, 'read-bps 1Ki/s'],
  ['writeBPS', 123_456_789, 'write-bps 117.7Mi/s'],
  ['writeBPS', 2 ** 75, 'write-bps 32768Ei/s'],
] as const)('%s %d', (dimension, rate, text) => {
  expect(formatRate(dimension, rate)).toBe(text)
})
