/** Objects that suites on a real API server begin with. */

type Texts = Readonly<Record<string, string>>

/** Opted in to the policy, where one is named. */
export const namespaceOf = (name: string, policy?: string): object =>
  labelledNamespaceOf(name, policy === undefined ? undefined : { 'iops-limit/enforce': policy })

export const labelledNamespaceOf = (name: string, labels: Texts | undefined): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(labels && { labels }) },
})

/** With one container, `main`, which asks for a CPU. */
export const podOf = (namespace: string, name: string, annotations: Texts = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, labels: { app: 'a' }, annotations },
  spec: { containers: [{ name: 'main', image: 'a:1', resources: { requests: { cpu: '1' } } }] },
})

export interface Registration {
  /** Of the webhook: `https://127.0.0.1:8443`. */
  readonly origin: string
  /** PEM. */
  readonly ca: string
  readonly operations?: readonly string[]
  readonly failurePolicy?: 'Ignore' | 'Fail'
  /** How long the API server waits for an answer. */
  readonly timeoutSeconds?: number
  /** What the labels of a pod's namespace have to be; whatever they are, where it is left out. */
  readonly namespaces?: { readonly key: string; readonly operator: 'Exists' | 'DoesNotExist' }
}

/** Namespaces that enforce a policy. */
export const OPTED_IN = { key: 'iops-limit/enforce', operator: 'Exists' } as const

/** Pods go through the webhook. */
export const registrationOf = ({
  origin,
  ca,
  operations = ['CREATE', 'UPDATE'],
  failurePolicy = 'Fail',
  timeoutSeconds = 10,
  namespaces,
}: Registration): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'iops-limit-webhook' },
  webhooks: [
    {
      name: 'pods.mutate.iops-limit',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds,
      failurePolicy,
      clientConfig: { url: `${origin}/mutate`, caBundle: Buffer.from(ca).toString('base64') },
      ...(namespaces && { namespaceSelector: { matchExpressions: [namespaces] } }),
      rules: [{ operations, apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
    },
  ],
})
