import { describe, expect, it } from 'vitest'
import { once } from '../../../webhook/policy/once.ts'

describe('once', () => {
  it('carries out a function once for each object', () => {
    const asked: object[] = []
    const find = once((key: { readonly name: string }) => {
      asked.push(key)
      return `found ${key.name}`
    })
    const [one, other] = [{ name: 'a' }, { name: 'a' }]
    expect([find(one), find(one), find(other), find(one)]).toEqual(Array(4).fill('found a'))
    expect(asked).toEqual([one, other])
    expect(asked[0]).toBe(one)
  })

  it('keeps an empty text', () => {
    let calls = 0
    const find = once<object, string>(() => {
      calls += 1
      return ''
    })
    const key = { name: 'a' }
    expect([find(key), find(key), calls]).toEqual(['', '', 1])
  })
})
