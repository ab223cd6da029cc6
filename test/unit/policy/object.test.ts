import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../../contract/problem.ts'
import { rootField } from '../../../contract/reader.ts'
import { readPolicy } from '../../../webhook/policy/parse.ts'
import { policyObject } from '../../support/policies.ts'

const read = (object: unknown) => {
  const root = rootField(object, '')
  const policy = readPolicy(root)
  return { policy, problems: root.problems.map(formatProblem) }
}

describe('a policy as an object of the API', () => {
  test('says all that a file can', () => {
    const rule = {
      name: 'r',
      scope: 'container',
      exemptContainers: { names: ['a'], nameRegexes: ['b.'], images: ['c'], imageRegexes: ['d.'] },
      default: { iops: 500, readBPS: '50Mi' },
      max: { readIOPS: 1000, writeIOPS: '1000', bps: 2 ** 40 },
    }
    const { policy, problems } = read(
      policyObject({ exemptNamespaces: ['kube-*'], rules: [rule, { name: 'x', exempt: true }] }),
    )
    expect(problems).toEqual([])
    expect(policy?.exemptNamespaces.map(({ matches }) => [matches('kube-x'), matches('x')])).toEqual([
      [true, false],
    ])
    const [first, second] = policy?.rules ?? []
    if (first?.exempt !== false) throw new Error('the first rule limits')
    expect(second).toMatchObject({ name: 'x', mark: 'p/x', exempt: true })
    expect(first).toMatchObject({ name: 'r', mark: 'p/r', scope: 'container', exempt: false })
    expect(first.exemptNames.map(({ matches }) => [matches('a'), matches('bb'), matches('c')])).toEqual([
      [true, false, false],
      [false, true, false],
    ])
    expect(first.exemptImages.map(({ matches }) => [matches('c'), matches('dd'), matches('a')])).toEqual([
      [true, false, false],
      [false, true, false],
    ])
    expect(first.max).toEqual({
      readIOPS: 1000n,
      writeIOPS: 1000n,
      readBPS: 2n ** 40n,
      writeBPS: 2n ** 40n,
    })
  })

  test.each([
    [
      { readBPS: 2 ** 53 },
      'readBPS: "9007199254740992" is too large to be exact as a number; write it in quotes',
    ],
    [{ readIOPS: '1k' }, 'readIOPS: "1k" has a suffix, and this key takes plain digits'],
    [{ writeIOPS: '1k' }, 'writeIOPS: "1k" has a suffix, and this key takes plain digits'],
    [{ iops: '1k' }, 'iops: "1k" has a suffix, and this key takes plain digits'],
    [{ iops: 1.5 }, 'iops: "1.5" is not a whole number of operations per second'],
    [{ iops: true }, 'iops: "true" is neither a number nor a text; write such as 500 or "50Mi"'],
  ])('is refused with max %j', (max, problem) => {
    const { problems } = read(policyObject({ rules: [{ name: 'r', max }] }))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`spec.rules[0].max.${problem}`)
  })

  test('has a name of 63 characters at most, which a label can hold', () => {
    const rules = [{ name: 'r', max: { iops: 5 } }]
    expect(read(policyObject({ rules }, 'a'.repeat(63))).policy?.name).toHaveLength(63)
    expect(read(policyObject({ rules }, 'a'.repeat(64)))).toMatchObject({
      policy: undefined,
      problems: [expect.stringContaining('metadata.name')],
    })
  })
})
