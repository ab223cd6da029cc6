import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readLimitAnnotations, resolveLimits } from '../../../contract/annotations.ts'
import { parseOverride } from '../../../contract/overrides.ts'

describe('readLimitAnnotations', () => {
  test('nothing of ours is nothing', () => {
    const nothing = { pod: {}, containers: new Map(), problems: [] }
    expect(readLimitAnnotations({})).toEqual(nothing)
    expect(
      readLimitAnnotations({
        'nvme-iops': '500',
        'kubediskguard.io/iops': '500',
        'iops-limit/policy': 'gold/rest',
        'iops-limit/unknown': 'x',
        'kubernetes.io/config.source': 'api',
      }),
    ).toEqual(nothing)
  })

  test('reads every key in its own unit', () => {
    expect(
      readLimitAnnotations({
        'iops-limit/limit': '500',
        'iops-limit/read-iops': '800',
        'iops-limit/write-iops': 'max',
        'iops-limit/bps': '50Mi',
        'iops-limit/read-bps': '100M',
        'iops-limit/write-bps': '0',
        'iops-limit/scope': 'container',
        'container.iops-limit/pg': 'read-iops=2000',
        'container.iops-limit/side.car_1': 'bps=1Mi',
      }),
    ).toEqual({
      pod: {
        limit: 500n,
        'read-iops': 800n,
        'write-iops': 'max',
        bps: 52_428_800n,
        'read-bps': 100_000_000n,
        'write-bps': 'max',
      },
      scope: 'container',
      containers: new Map([
        ['pg', { 'read-iops': 2000n }],
        ['side.car_1', { bps: 1_048_576n }],
      ]),
      problems: [],
    })
  })

  test('a key with a problem says nothing, and the others still count', () => {
    expect(
      readLimitAnnotations({
        'iops-limit/read-iops': 'fast',
        'iops-limit/write-iops': '300',
        'iops-limit/scope': 'node',
        'container.iops-limit/pg': 'read-iops=1,write-iops=5',
        'container.iops-limit/web': 'limit=5',
      }),
    ).toEqual({
      pod: { 'write-iops': 300n },
      containers: new Map([['web', { limit: 5n }]]),
      problems: [
        {
          field: 'iops-limit/read-iops',
          value: 'fast',
          reason: 'is not a whole number of operations per second',
          cure: 'write digits only, such as "500", or "max" for no limit',
        },
        {
          field: 'iops-limit/scope',
          value: 'node',
          reason: 'is not a scope',
          cure: 'write "pod" (one shared limit) or "container" (each its own)',
        },
        {
          field: 'container.iops-limit/pg',
          value: 'read-iops=1',
          reason: 'is below what the kernel takes',
          cure: 'write 2 or more, or "max" for no limit',
        },
      ],
    })
  })

  test.each(['pod', 'container'])('scope %s', (scope) => {
    expect(readLimitAnnotations({ 'iops-limit/scope': scope }).scope).toBe(scope)
  })

  test('an empty scope is a problem, not a default', () => {
    expect(readLimitAnnotations({ 'iops-limit/scope': '' })).toMatchObject({
      problems: [{ field: 'iops-limit/scope', value: '' }],
    })
  })

  test('every problem names a key that stood on the pod', () => {
    const keys = fc.constantFrom(
      'iops-limit/limit',
      'iops-limit/bps',
      'iops-limit/scope',
      'container.iops-limit/a',
    )
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(keys, fc.string()), fc.string()), (annotations) => {
        const { problems } = readLimitAnnotations(annotations)
        expect(problems.filter(({ field }) => !Object.hasOwn(annotations, field))).toEqual([])
      }),
    )
  })
})

describe('resolveLimits', () => {
  const resolve = (text: string): unknown => {
    const parsed = parseOverride(text, 'x')
    return parsed.ok ? resolveLimits(parsed.value) : parsed
  }

  test.each([
    ['limit=500', { readIOPS: 500n, writeIOPS: 500n }],
    ['bps=5M', { readBPS: 5_000_000n, writeBPS: 5_000_000n }],
    ['read-iops=800', { readIOPS: 800n }],
    ['limit=500,read-iops=800', { readIOPS: 800n, writeIOPS: 500n }],
    ['limit=500,write-iops=max', { readIOPS: 500n, writeIOPS: 'max' }],
    ['limit=max,write-iops=5', { readIOPS: 'max', writeIOPS: 5n }],
    ['bps=5M,write-bps=6M', { readBPS: 5_000_000n, writeBPS: 6_000_000n }],
    ['limit=5,bps=6', { readIOPS: 5n, writeIOPS: 5n, readBPS: 6n, writeBPS: 6n }],
  ])('%s', (text, limits) => {
    expect(resolve(text)).toEqual(limits)
  })

  test('nothing is nothing', () => {
    expect(resolveLimits({})).toEqual({})
  })
})
