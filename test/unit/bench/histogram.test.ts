import { describe, expect, it } from 'vitest'
import { addUp, findDifference, findMean, readHistogram } from '../../../bench/cluster/histogram.ts'

const TEXT = `# HELP posts_seconds Help.
# TYPE posts_seconds histogram
posts_seconds_bucket{verb="POST",le="0.1"} 3
posts_seconds_bucket{verb="POST",le="+Inf"} 4
posts_seconds_sum{verb="POST"} 2
posts_seconds_count{verb="POST"} 4
posts_seconds_bucket{verb="POST",scope="a \\"b\\"",le="0.1"} 1
posts_seconds_bucket{verb="POST",scope="a \\"b\\"",le="+Inf"} 1
posts_seconds_sum{verb="POST",scope="a \\"b\\""} 0.5
posts_seconds_count{verb="POST",scope="a \\"b\\""} 1
posts_seconds_sum{verb="GET"} 99
posts_seconds_count{verb="GET"} 99
posts_seconds_count_of_something_else{verb="POST"} 7
plain 1.5e2
`

describe('a histogram', () => {
  const read = readHistogram(TEXT, 'posts_seconds', { verb: 'POST' })

  it('is the sum of all series with the labels', () => {
    expect(read).toEqual({ count: 5, sum: 2.5 })
    expect(readHistogram(TEXT, 'posts_seconds', { scope: 'a \\"b\\"' }).count).toBe(1)
  })

  it('has a mean', () => expect(findMean(read)).toBe(0.5))

  it('is, between two looks, what came in between', () => {
    const before = readHistogram(TEXT, 'posts_seconds', { scope: 'a \\"b\\"' })
    expect(findDifference(before, read)).toEqual({ count: 4, sum: 2 })
  })
})

it.each([
  ['plain', {}, 150],
  ['posts_seconds_count', {}, 104],
  ['posts_seconds_count', { verb: 'PUT' }, 0],
])('%s with %j adds up to %d', (name, labels, sum) => expect(addUp(TEXT, name, labels)).toBe(sum))
