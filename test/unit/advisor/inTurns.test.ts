import { describe, expect, it } from 'vitest'
import { inTurns } from '../../../webhook/advisor/inTurns.ts'

const soon = (): Promise<void> => new Promise((resolve) => void setImmediate(() => resolve()))

describe('work in turns', () => {
  it('does all of it, so many at the same time', async () => {
    const done: number[] = []
    let [underWay, most] = [0, 0]
    await inTurns([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++underWay)
      await soon()
      underWay--
      done.push(item)
    })
    expect({ done, most }).toEqual({ done: [1, 2, 3, 4, 5], most: 2 })
  })

  it('rejects with the first failure, begins nothing more, and leaves nothing under way', async () => {
    const begun: number[] = []
    const done: number[] = []
    const all = inTurns([1, 2, 3, 4], 2, async (item) => {
      begun.push(item)
      if (item === 1) throw new Error('the first')
      await soon()
      done.push(item)
    })
    await expect(all).rejects.toThrow('the first')
    expect({ begun, done }).toEqual({ begun: [1, 2], done: [2] })
  })

  it('has nothing to do with nothing', async () => {
    await expect(inTurns([], 3, () => Promise.reject(new Error('never')))).resolves.toBeUndefined()
  })
})
