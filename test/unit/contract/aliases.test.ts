import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALIAS_KEYS, canonicalAnnotations, findRewrites } from '../../../contract/aliases.ts'
import { isOurKey } from '../../../contract/keys.ts'

describe('every alias of the older service stands for a canonical key', () => {
  const names = [
    ['iops', 'limit'],
    ['read-iops', 'read-iops'],
    ['write-iops', 'write-iops'],
    ['bps', 'bps'],
    ['read-bps', 'read-bps'],
    ['write-bps', 'write-bps'],
  ] as const

  test.each([
    ...names.map(([alias, name]) => [`kubediskguard.io/${alias}`, `iops-limit/${name}`]),
    ...names.map(([alias, name]) => [`io-limit/${alias}`, `iops-limit/${name}`]),
    ['iops-limit/iops', 'iops-limit/limit'],
    ['nvme-iops', 'iops-limit/limit'],
    ['nvme-iops-read', 'iops-limit/read-iops'],
    ['nvme-iops-write', 'iops-limit/write-iops'],
    ['nvme-bps', 'iops-limit/bps'],
    ['nvme-bps-read', 'iops-limit/read-bps'],
    ['nvme-bps-write', 'iops-limit/write-bps'],
  ])('%s -> %s', (alias, key) => {
    expect(findRewrites({ [alias]: '500' })).toEqual([{ alias, key, value: '500' }])
    expect(canonicalAnnotations({ [alias]: '500', other: 'x' })).toEqual({ [key]: '500', other: 'x' })
  })

  test('and there are no others', () => {
    expect(ALIAS_KEYS.size).toBe(19)
  })
})

describe('findRewrites', () => {
  test('no alias, no rewrite', () => {
    expect(
      findRewrites({ 'iops-limit/limit': '5', 'kubediskguard.io/removed': 'true', 'io-limit': '5' }),
    ).toEqual([])
  })

  test('the canonical key beats its alias', () => {
    expect(findRewrites({ 'iops-limit/limit': '5', 'nvme-iops': '6' })).toEqual([
      {
        alias: 'nvme-iops',
        key: 'iops-limit/limit',
        value: '6',
        beatenBy: { key: 'iops-limit/limit', value: '5' },
      },
    ])
  })

  test('the newer alias beats the older', () => {
    expect(findRewrites({ 'nvme-iops': '7', 'io-limit/iops': '6', 'kubediskguard.io/iops': '5' })).toEqual([
      { alias: 'kubediskguard.io/iops', key: 'iops-limit/limit', value: '5' },
      {
        alias: 'io-limit/iops',
        key: 'iops-limit/limit',
        value: '6',
        beatenBy: { key: 'kubediskguard.io/iops', value: '5' },
      },
      {
        alias: 'nvme-iops',
        key: 'iops-limit/limit',
        value: '7',
        beatenBy: { key: 'kubediskguard.io/iops', value: '5' },
      },
    ])
  })

  test('two that say the same do not quarrel', () => {
    expect(findRewrites({ 'iops-limit/limit': '5', 'nvme-iops': '5' })).toEqual([
      { alias: 'nvme-iops', key: 'iops-limit/limit', value: '5' },
    ])
  })
})

describe('canonicalAnnotations', () => {
  test('without an alias they are the very same', () => {
    const annotations = { 'iops-limit/limit': '5' }
    expect(canonicalAnnotations(annotations)).toBe(annotations)
  })

  test('what was there stays as it was', () => {
    const annotations = Object.freeze({ 'nvme-iops': '5', 'io-limit/iops': '6' })
    expect(canonicalAnnotations(annotations)).toEqual({ 'iops-limit/limit': '6' })
  })

  test('no alias is left, no value is made up, and a second time changes nothing', () => {
    const key = fc.constantFrom(...ALIAS_KEYS.keys(), ...ALIAS_KEYS.values(), 'app', 'team')
    fc.assert(
      fc.property(fc.dictionary(key, fc.constantFrom('1', '2', '3')), (annotations) => {
        const canonical = canonicalAnnotations(annotations)
        expect(Object.keys(canonical).filter((name) => ALIAS_KEYS.has(name))).toEqual([])
        expect(findRewrites(canonical)).toEqual([])
        for (const [name, value] of Object.entries(canonical)) {
          expect(Object.values(annotations)).toContain(value)
          if (annotations[name] !== undefined) expect(value).toBe(annotations[name])
        }
        const foreign = (of: object): readonly string[] => Object.keys(of).filter((name) => !isOurKey(name))
        expect(foreign(canonical)).toEqual(foreign(annotations).filter((name) => !ALIAS_KEYS.has(name)))
      }),
    )
  })
})
