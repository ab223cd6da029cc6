import { formatProblem } from '../../contract/problem.ts'
import { loadPolicies } from '../../webhook/policy/load.ts'
import type { PolicySet } from '../../webhook/policy/policy.ts'

/** Policies of a YAML text; throws with every problem where it is wrong. */
export function policiesOf(text: string): PolicySet {
  const loaded = loadPolicies([{ name: 'policies.yaml', text }])
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.value
}

/** A policy document of the given name whose rules are YAML in flow style. */
export const policyText = (name: string, ...rules: readonly string[]): string =>
  [
    '---',
    'apiVersion: policy.iops-limit/v1alpha1',
    'kind: IOLimitPolicy',
    `metadata: {name: ${name}}`,
    `spec: {rules: [${rules.join(', ')}]}`,
    '',
  ].join('\n')

/** A policy as `JSON.parse` gives it from the cluster: its whole numbers are numbers, where those of a text are read as bigints. */
export const policyObject = (spec: object, name = 'p'): object => ({
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name },
  spec,
})
