import { describe, expect, it } from 'vitest'
import { createPolicyCache, type Judgement } from '../../../webhook/cluster/policies.ts'

interface Facts {
  readonly uid?: string
  readonly generation?: number
  readonly version?: string
  readonly status?: object
}

/** As the API gives it; `limit` 0 is a mistake. */
const policyOf = (
  name: string,
  limit: number,
  { uid = 'u1', generation = 1, version = '1', status = {} }: Facts = {},
): object => ({
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name, uid, generation, resourceVersion: version, managedFields: [] },
  spec: { rules: [{ name: 'all', default: { readIOPS: limit } }] },
  status,
})

function open() {
  const judged: Judgement[] = []
  let changes = 0
  const cache = createPolicyCache({
    onChange: () => void (changes += 1),
    onJudged: (judgement) => judged.push(judgement),
  })
  const limitOf = (name: string): string | undefined => {
    const rule = cache.current.get(name)?.rules[0]
    return rule?.exempt === false ? rule.defaults[0]?.text : undefined
  }
  return { cache, judged, limitOf, count: () => changes }
}

describe('policies of a cluster', () => {
  it('are in force as they are listed and changed, and no more once they are deleted', () => {
    const { cache, limitOf, count } = open()
    cache.listed([policyOf('gold', 100), policyOf('silver', 50)])
    cache.changed('ADDED', policyOf('bronze', 10))
    cache.changed('MODIFIED', policyOf('gold', 200, { generation: 2 }))
    cache.changed('DELETED', policyOf('silver', 50))
    expect([...cache.current.keys()].map((name) => [name, limitOf(name)])).toEqual([
      ['gold', '200'],
      ['bronze', '10'],
    ])
    expect(count()).toBe(4)
    cache.listed([policyOf('silver', 60)])
    expect([...cache.current.keys()]).toEqual(['silver'])
  })

  it('are parsed only where the spec has changed', () => {
    const { cache, count } = open()
    cache.listed([policyOf('gold', 100), policyOf('silver', 50)])
    const before = cache.current
    const [gold, silver] = [before.get('gold'), before.get('silver')]
    cache.changed('MODIFIED', policyOf('gold', 100, { version: '2', status: { conditions: [] } }))
    // A status that was written calls nobody.
    expect(cache.current).toBe(before)
    expect(count()).toBe(1)
    cache.changed('MODIFIED', policyOf('silver', 70, { generation: 2 }))
    cache.listed([policyOf('gold', 100, { version: '2' }), policyOf('silver', 70, { generation: 2 })])
    expect(cache.current.get('gold')).toBe(gold)
    expect(cache.current.get('silver')).not.toBe(silver)
    // Whoever holds an older map has it as it was.
    expect(before.get('silver')).toBe(silver)
  })

  it('stay as they were last right, while the same object is wrong', () => {
    const { cache, limitOf, judged } = open()
    cache.listed([policyOf('gold', 100), policyOf('new', 0)])
    expect(cache.refused).toBe(1)
    cache.changed('MODIFIED', policyOf('gold', 0, { generation: 2 }))
    expect([...cache.current.keys()]).toEqual(['gold'])
    expect(limitOf('gold')).toBe('100')
    expect(cache.refused).toBe(2)
    expect(judged.at(-1)).toMatchObject({
      name: 'gold',
      generation: 2,
      problems: [{ field: 'spec.rules[0].default.readIOPS' }],
    })
    cache.listed([policyOf('gold', 0, { generation: 2 })])
    expect(limitOf('gold')).toBe('100')
    cache.changed('MODIFIED', policyOf('gold', 300, { generation: 3 }))
    expect(limitOf('gold')).toBe('300')
    expect(cache.refused).toBe(0)
  })

  it('of the same name are another object under another uid', () => {
    const { cache } = open()
    cache.listed([policyOf('gold', 100)])
    cache.listed([policyOf('gold', 0, { uid: 'u2' })])
    expect(cache.current.size).toBe(0)
    cache.changed('ADDED', policyOf('gold', 100, { uid: 'u3' }))
    cache.changed('DELETED', policyOf('gold', 100, { uid: 'u3' }))
    cache.changed('ADDED', policyOf('gold', 0, { uid: 'u3' }))
    expect(cache.current.size).toBe(0)
  })

  it('are judged with what their status says', () => {
    const { cache, judged } = open()
    const accepted = { type: 'Accepted', status: 'True' }
    cache.listed([
      policyOf('gold', 100, { version: '7', status: { conditions: [{ type: 'Other' }, accepted] } }),
      policyOf('silver', 100),
      'no object at all',
    ])
    expect(judged.map(({ name, resourceVersion, found }) => ({ name, resourceVersion, found }))).toEqual([
      { name: 'gold', resourceVersion: '7', found: accepted },
      { name: 'silver', resourceVersion: '1', found: undefined },
      { name: '', resourceVersion: '', found: undefined },
    ])
  })
})
