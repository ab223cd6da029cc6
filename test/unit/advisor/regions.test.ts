import { describe, expect, it } from 'vitest'
import { findRegions } from '../../../webhook/advisor/regions.ts'
import type { NamespaceInfo } from '../../../webhook/policy/policy.ts'
import { policiesOf, policyText } from '../../support/policies.ts'

const WINDOW = '{over: 15m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}'
const policies = policiesOf(
  [
    policyText(
      'busy',
      '{name: none, exempt: true, selector: {matchLabels: {app: x}}}',
      `{name: all, adaptive: {windows: [${WINDOW}]}}`,
    ),
    policyText('still', '{name: all, default: {iops: 500}}'),
  ].join(''),
)

const namespace = (name: string, labels: NamespaceInfo['labels'] = {}) => [name, { name, labels }] as const

describe('namespaces to look at', () => {
  const namespaces = new Map([
    namespace('a', { 'iops-limit/enforce': 'busy' }),
    namespace('b', { 'iops-limit/enforce': 'still' }),
    namespace('c', { 'iops-limit/warn': 'busy' }),
    namespace('d'),
    namespace('e', { 'iops-limit/enforce': 'unknown' }),
    namespace('f', { 'iops-limit/enforce': 'busy' }),
  ])
  const rulebook = { policies, exemptNamespaces: ['f'] }
  const look = (cleared: Parameters<typeof findRegions>[2]) =>
    findRegions(rulebook, namespaces, cleared).map((region) => [region.namespace, region.isAdaptive])

  it('are those that enforce a policy with adaptive rules, and each other one once', () => {
    expect(look(new Map())).toEqual([
      ['a', true],
      ['b', false],
    ])
    const [busy, still] = [policies.get('busy')!, policies.get('still')!]
    expect(look(new Map([['b', still]]))).toEqual([['a', true]])
    expect(
      look(
        new Map([
          ['a', busy],
          ['b', busy],
        ]),
      ),
    ).toEqual([
      ['a', true],
      ['b', false],
    ])
  })
})
