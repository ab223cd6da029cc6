import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBag } from '../../../webhook/server/bag.ts'

describe('createBag', () => {
  test('holds what was put into it until it is taken out, once', () => {
    const bag = createBag<{ name: string; place: number }>()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, place: -1 })) as [Named, Named, Named]
    for (const member of [a, b, c]) bag.add(member)
    expect([bag.remove(a), bag.remove(a)]).toEqual([true, false])
    expect(bag.members.map(({ name }) => name).toSorted((x, y) => x.localeCompare(y))).toEqual(['b', 'c'])
    expect([bag.remove(c), bag.remove(b), bag.remove(b), bag.members.length]).toEqual([true, true, false, 0])
    bag.add(a)
    expect(bag.members).toEqual([a])
  })

  test('is a Set in all but order, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
        const all = Array.from({ length: 10 }, (_, index) => ({ name: String(index), place: -1 }))
        const [bag, set] = [createBag<Named>(), new Set<Named>()]
        for (const [adds, index] of steps) {
          const member = all[index]
          if (member === undefined || (adds && set.has(member))) continue
          if (adds) {
            bag.add(member)
            set.add(member)
          } else expect(bag.remove(member)).toBe(set.delete(member))
          expect(new Set(bag.members)).toEqual(set)
          expect(bag.members).toHaveLength(set.size)
        }
      }),
    )
  })
})

interface Named {
  readonly name: string
  place: number
}
