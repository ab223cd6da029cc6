import { describe, expect, test } from 'vitest'
import { createGate, type GateLimits, type Place } from '../../../webhook/server/gate.ts'

/** A gate with a clock that stands still until it is moved on, in seconds, and with an ear for who loses a place. */
function create(limits: GateLimits) {
  let now = 0
  const gate = createGate(limits, () => now)
  const lost: (string | undefined)[] = []
  const enter = (name?: string): Place | undefined => gate.enter(() => lost.push(name))
  return { gate, enter, lost, pass: (seconds: number) => (now += seconds) }
}

describe('createGate', () => {
  test('lets in so many, and as many again as leave', () => {
    const { gate, enter } = create({ maxRequests: 2, maxBytes: 10 })
    const first = enter()
    expect(enter()).toBeDefined()
    expect(enter()).toBeUndefined()
    expect(gate.requests).toBe(2)
    first?.leave()
    first?.leave()
    expect(gate.requests).toBe(1)
    expect(enter()).toBeDefined()
  })

  test('counts the bytes of all together, and gives back those of who leaves', () => {
    const { gate, enter } = create({ maxRequests: 9, maxBytes: 10 })
    const [a, b] = [enter(), enter()]
    expect([a?.claim(4), b?.claim(6), a?.claim(1), b?.claim(0)]).toEqual([true, true, false, true])
    expect(gate.bytes).toBe(10)
    b?.leave()
    expect(gate.bytes).toBe(4)
    expect(a?.claim(6)).toBe(true)
    a?.leave()
    expect([gate.requests, gate.bytes]).toEqual([0, 0])
  })

  test('gives the place of the slowest sender to who comes, after a second and not before', () => {
    const { gate, enter, lost, pass } = create({ maxRequests: 2, maxBytes: 10 })
    const slow = enter('slow')
    pass(0.9)
    enter('other')
    expect(enter()).toBeUndefined()
    pass(0.1)
    expect(enter()).toBeDefined()
    expect(lost).toEqual(['slow'])
    expect(enter()).toBeUndefined()
    expect(gate.requests).toBe(2)
    expect(slow?.claim(1)).toBe(false)
    slow?.leave()
    expect([gate.requests, gate.bytes]).toEqual([2, 0])
  })

  test('takes no place from a request whose body is here', () => {
    const { enter, lost, pass } = create({ maxRequests: 1, maxBytes: 10 })
    const first = enter()
    first?.settle()
    pass(60)
    expect(enter()).toBeUndefined()
    expect(lost).toEqual([])
  })

  test('takes the room of slow senders, as many as it needs, but never of the one that asks', () => {
    const { gate, enter, lost, pass } = create({ maxRequests: 9, maxBytes: 10 })
    const [a, b, c] = ['a', 'b', 'c'].map(enter)
    expect([a?.claim(4), b?.claim(4), c?.claim(2)]).toEqual([true, true, true])
    expect(c?.claim(5)).toBe(false)
    pass(1)
    expect(c?.claim(5)).toBe(true)
    expect(lost).toEqual(['a', 'b'])
    expect([gate.requests, gate.bytes]).toEqual([1, 7])
    expect(c?.claim(4)).toBe(false)
    expect(lost).toEqual(['a', 'b'])
  })
})
