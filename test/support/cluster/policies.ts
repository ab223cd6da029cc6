/** Policies for tests of a control plane: their resource without a schema, so that wrong ones get in. */

const NAMES = {
  plural: 'iolimitpolicies',
  singular: 'iolimitpolicy',
  kind: 'IOLimitPolicy',
  listKind: 'IOLimitPolicyList',
  shortNames: ['iolp'],
}

/** Of the chart's CRD everything but the schema of the spec. */
export const LOOSE_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'iolimitpolicies.policy.iops-limit' },
  spec: {
    group: 'policy.iops-limit',
    scope: 'Cluster',
    names: NAMES,
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
}

/** One rule for every pod. */
export const policyObject = (name: string, rule: object): object => ({
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name },
  spec: { rules: [{ name: 'all', ...rule }] },
})
