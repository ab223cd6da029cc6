import { describe, expect, test } from 'vitest'
import { createGate } from '../../../webhook/server/gate.ts'

describe('createGate', () => {
  test('lets in so many, and as many again as leave', () => {
    const gate = createGate({ maxRequests: 2, maxBytes: 10 })
    const first = gate.enter()
    expect(gate.enter()).toBeDefined()
    expect(gate.enter()).toBeUndefined()
    expect(gate.requests).toBe(2)
    first?.leave()
    expect(gate.requests).toBe(1)
    expect(gate.enter()).toBeDefined()
  })

  test('counts the bytes of all together, and gives back those of who leaves', () => {
    const gate = createGate({ maxRequests: 9, maxBytes: 10 })
    const [a, b] = [gate.enter(), gate.enter()]
    expect([a?.claim(4), b?.claim(6), a?.claim(1), b?.claim(0)]).toEqual([true, true, false, true])
    expect(gate.bytes).toBe(10)
    b?.leave()
    expect(gate.bytes).toBe(4)
    expect(a?.claim(6)).toBe(true)
    a?.leave()
    expect([gate.requests, gate.bytes]).toEqual([0, 0])
  })
})
