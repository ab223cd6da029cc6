import { describe, expect, it } from 'vitest'
import { findExemptContainers } from '../../../webhook/policy/exempt.ts'
import { type Pattern, parseRegex } from '../../../webhook/policy/pattern.ts'

/** A pattern of some size that matches nothing and counts the steps that it is made to take, at worst. */
function createCounter(size: number): { readonly pattern: Pattern; readonly spent: () => number } {
  let steps = 0
  return {
    pattern: {
      size,
      matches: (text) => {
        steps += size * text.length
        return false
      },
    },
    spent: () => steps,
  }
}

const containersOf = (images: readonly string[]) =>
  images.map((image, index) => ({ name: `c${index}`, image }))

const regex = (source: string): Pattern => {
  const pattern = parseRegex(source)
  if (typeof pattern === 'string') throw new Error(pattern)
  return pattern
}

describe('the work that a pod may cost', () => {
  it('is bounded, however many containers it has and however long their images are', () => {
    for (const [count, length] of [
      [500, 512],
      [20_000, 500],
      [100_000, 10],
    ] as const) {
      const counter = createCounter(1000)
      const images = Array.from({ length: count }, (_, index) => String(index).padStart(length, 'x'))
      const found = findExemptContainers(
        { exemptNames: [], exemptImages: [counter.pattern] },
        containersOf(images),
      )
      expect(counter.spent()).toBeGreaterThanOrEqual(1_500_000)
      expect(counter.spent()).toBeLessThanOrEqual(2_000_000)
      expect(found.names).toEqual([])
      expect(found.skipped).toBeGreaterThan(count - 200)
    }
  })

  it('is spent once on each distinct text', () => {
    const counter = createCounter(100)
    const found = findExemptContainers(
      { exemptNames: [], exemptImages: [counter.pattern] },
      containersOf(Array.from({ length: 500 }, () => 'x'.repeat(400))),
    )
    expect(counter.spent()).toBe(40_000)
    expect(found.skipped).toBe(0)
  })

  it('is nothing for images longer than any can be, also where the others are too much', () => {
    const counter = createCounter(100_000)
    const images = ['x'.repeat(513), 'y'.repeat(30), 'x'.repeat(513)]
    const found = findExemptContainers(
      { exemptNames: [], exemptImages: [counter.pattern] },
      containersOf(images),
    )
    expect([counter.spent(), found]).toEqual([0, { names: [], skipped: 1 }])
  })

  it('is nothing for names and images longer than any can be', () => {
    const counter = createCounter(1)
    const found = findExemptContainers({ exemptNames: [counter.pattern], exemptImages: [counter.pattern] }, [
      { name: 'x'.repeat(64), image: 'x'.repeat(513) },
    ])
    expect([counter.spent(), found]).toEqual([0, { names: [], skipped: 0 }])
  })

  it('leaves a pod as people write them whole: thirty containers, ten patterns', () => {
    const images = Array.from({ length: 30 }, (_, index) => `registry.example.com/team/app-${index}:v1.2.3`)
    const patterns = Array.from({ length: 10 }, (_, index) => regex(`.*/tools-${index}/.*`))
    const last = regex('.*/app-29:.*')
    expect(
      findExemptContainers({ exemptNames: [], exemptImages: [...patterns, last] }, containersOf(images)),
    ).toEqual({ names: ['c29'], skipped: 0 })
  })

  it('exempts by the name where the image was too much', () => {
    const found = findExemptContainers(
      { exemptNames: [regex('c.*')], exemptImages: [createCounter(1_000_000).pattern] },
      containersOf(['ab']),
    )
    expect(found).toEqual({ names: ['c0'], skipped: 0 })
  })
})
