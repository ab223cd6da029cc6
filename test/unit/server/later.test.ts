import { describe, expect, test } from 'vitest'
import { proceed } from '../../../webhook/server/later.ts'

describe('proceed', () => {
  test('goes on at once where the value is here', () => {
    expect(proceed(1, (value) => value + 1)).toBe(2)
  })

  test('goes on with what a promise brings, and with a promise', async () => {
    expect(await proceed(Promise.resolve(1), (value) => value + 1)).toBe(2)
    expect(await proceed(1, (value) => Promise.resolve(value + 1))).toBe(2)
  })

  test('never throws: a fault is a rejection, by either way', async () => {
    const fail = (): never => {
      throw new Error('a bug')
    }
    for (const value of [1, Promise.resolve(1)]) {
      const result = proceed(value, fail)
      expect(result).toBeInstanceOf(Promise)
      await expect(result).rejects.toThrow('a bug')
    }
  })

  test('hands on what a promise was rejected with', async () => {
    await expect(proceed(Promise.reject(new Error('away')), () => 1)).rejects.toThrow('away')
  })
})
