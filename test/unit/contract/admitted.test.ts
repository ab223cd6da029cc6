import { describe, expect, test } from 'vitest'
import { limitsOf, readAdmitted, splitList } from '../../../contract/admitted.ts'

const NOTHING = {
  scope: 'pod',
  limits: {},
  overrides: new Map(),
  exemptContainers: new Set(),
  problems: [],
}

describe('readAdmitted', () => {
  test('a pod that admission never saw', () => {
    expect(readAdmitted({})).toStrictEqual(NOTHING)
  })

  test('an empty mark is none', () => {
    expect(readAdmitted({ 'iops-limit/policy': '' })).toStrictEqual(NOTHING)
  })

  test('the whole decision', () => {
    expect(
      readAdmitted({
        'iops-limit/policy': 'gold/databases',
        'iops-limit/defaulted': 'write-iops',
        'iops-limit/read-iops': '800',
        'iops-limit/write-iops': '1000',
        'iops-limit/exempt-containers': 'istio-proxy, exporter',
        'container.iops-limit/pg': 'read-iops=2000,bps=50Mi',
      }),
    ).toEqual({
      mark: 'gold/databases',
      scope: 'container',
      limits: { readIOPS: 800n, writeIOPS: 1000n },
      overrides: new Map([['pg', { readIOPS: 2000n, readBPS: 52_428_800n, writeBPS: 52_428_800n }]]),
      exemptContainers: new Set(['istio-proxy', 'exporter']),
      problems: [],
    })
  })

  test('exempt containers imply the scope "container", whatever is said', () => {
    expect(readAdmitted({ 'iops-limit/exempt-containers': 'a', 'iops-limit/scope': 'pod' }).scope).toBe(
      'container',
    )
    expect(readAdmitted({ 'iops-limit/exempt-containers': ' , ' }).scope).toBe('pod')
    expect(readAdmitted({ 'iops-limit/scope': 'container' }).scope).toBe('container')
  })

  test('a key that cannot be read limits nothing, and is told', () => {
    expect(readAdmitted({ 'iops-limit/limit': 'fast' })).toEqual({
      ...NOTHING,
      problems: [
        {
          field: 'iops-limit/limit',
          value: 'fast',
          reason: 'is not a whole number of operations per second',
          cure: 'write digits only, such as "500", or "max" for no limit',
        },
      ],
    })
  })
})

describe('limitsOf', () => {
  const admitted = readAdmitted({
    'iops-limit/limit': '500',
    'container.iops-limit/pg': 'read-iops=2000,write-bps=max',
  })

  test('an override beats the common limits in what it states', () => {
    expect(limitsOf(admitted, 'pg')).toEqual({ readIOPS: 2000n, writeIOPS: 500n, writeBPS: 'max' })
  })

  test.each(['web', '', 'constructor'])('%j has no override', (container) => {
    expect(limitsOf(admitted, container)).toEqual({ readIOPS: 500n, writeIOPS: 500n })
  })
})

test.each([
  ['', []],
  ['a', ['a']],
  ['a,b', ['a', 'b']],
  [' a , b ,', ['a', 'b']],
])('splitList %j', (text, names) => {
  expect(splitList(text)).toEqual(names)
})
