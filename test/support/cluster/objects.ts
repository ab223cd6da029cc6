/** Objects that suites on a real API server begin with. */

/** Opted in to the policy, where one is named. */
export const namespaceOf = (name: string, policy?: string): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(policy !== undefined && { labels: { 'iops-limit/enforce': policy } }) },
})

export interface Registration {
  /** Of the webhook: `https://127.0.0.1:8443`. */
  readonly origin: string
  /** PEM. */
  readonly ca: string
  readonly operations?: readonly string[]
  readonly failurePolicy?: 'Ignore' | 'Fail'
  /** Namespaces without the label are left out. */
  readonly isOptIn?: boolean
}

/** Pods go through the webhook. */
export const registrationOf = ({
  origin,
  ca,
  operations = ['CREATE', 'UPDATE'],
  failurePolicy = 'Fail',
  isOptIn = false,
}: Registration): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'iops-limit-webhook' },
  webhooks: [
    {
      name: 'pods.mutate.iops-limit',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 10,
      failurePolicy,
      clientConfig: { url: `${origin}/mutate`, caBundle: Buffer.from(ca).toString('base64') },
      ...(isOptIn && {
        namespaceSelector: { matchExpressions: [{ key: 'iops-limit/enforce', operator: 'Exists' }] },
      }),
      rules: [{ operations, apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
    },
  ],
})
