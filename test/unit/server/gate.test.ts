import { describe, expect, test } from 'vitest'
import { createGate, type GateLimits } from '../../../webhook/server/gate.ts'

/** A gate with a clock that stands still until it is moved on, in seconds. */
function create(limits: GateLimits) {
  let now = 0
  const gate = createGate(limits, () => now)
  return { gate, pass: (seconds: number) => (now += seconds) }
}

describe('createGate', () => {
  test('lets in so many, and as many again as leave', () => {
    const { gate } = create({ maxRequests: 2, maxBytes: 10 })
    const first = gate.enter()
    expect(gate.enter()).toBeDefined()
    expect(gate.enter()).toBeUndefined()
    expect(gate.requests).toBe(2)
    first?.leave()
    first?.leave()
    expect(gate.requests).toBe(1)
    expect(gate.enter()).toBeDefined()
  })

  test('counts the bytes of all together, and gives back those of who leaves', () => {
    const { gate } = create({ maxRequests: 9, maxBytes: 10 })
    const [a, b] = [gate.enter(), gate.enter()]
    expect([a?.claim(4), b?.claim(6), a?.claim(1), b?.claim(0)]).toEqual([true, true, false, true])
    expect(gate.bytes).toBe(10)
    b?.leave()
    expect(gate.bytes).toBe(4)
    expect(a?.claim(6)).toBe(true)
    a?.leave()
    expect([gate.requests, gate.bytes]).toEqual([0, 0])
  })

  test('gives the place of the slowest sender to who comes, after a second and not before', () => {
    const { gate, pass } = create({ maxRequests: 2, maxBytes: 10 })
    const slow = gate.enter()
    pass(0.9)
    const other = gate.enter()
    expect(gate.enter()).toBeUndefined()
    pass(0.1)
    expect(gate.enter()).toBeDefined()
    expect([slow?.lost.aborted, other?.lost.aborted]).toEqual([true, false])
    expect(gate.enter()).toBeUndefined()
    expect(gate.requests).toBe(2)
    expect(slow?.claim(1)).toBe(false)
    slow?.leave()
    expect([gate.requests, gate.bytes]).toEqual([2, 0])
  })

  test('takes no place from a request whose body is here', () => {
    const { gate, pass } = create({ maxRequests: 1, maxBytes: 10 })
    const first = gate.enter()
    first?.settle()
    pass(60)
    expect(gate.enter()).toBeUndefined()
    expect(first?.lost.aborted).toBe(false)
  })

  test('takes the room of slow senders, as many as it needs, but never of the one that asks', () => {
    const { gate, pass } = create({ maxRequests: 9, maxBytes: 10 })
    const [a, b, c] = [gate.enter(), gate.enter(), gate.enter()]
    expect([a?.claim(4), b?.claim(4), c?.claim(2)]).toEqual([true, true, true])
    expect(c?.claim(5)).toBe(false)
    pass(1)
    expect(c?.claim(5)).toBe(true)
    expect([a?.lost.aborted, b?.lost.aborted, c?.lost.aborted]).toEqual([true, true, false])
    expect([gate.requests, gate.bytes]).toEqual([1, 7])
    expect(c?.claim(4)).toBe(false)
    expect(c?.lost.aborted).toBe(false)
  })
})
