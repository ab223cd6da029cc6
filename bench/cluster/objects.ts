/** Objects of a bench's cluster: the chart's own CRD and registrations, and pods as a controller made one. */
import { readFileSync } from 'node:fs'
import { objectsOf, renderChart } from '../../test/support/chart/helm.ts'
import type { Cluster } from '../../test/support/cluster/cluster.ts'

interface Registered {
  readonly kind: string
  readonly webhooks: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]
}

export interface Endpoint {
  /** What the registrations, and their namespaces, are called: one label of DNS. */
  readonly name: string
  /** `https://127.0.0.1:PORT` */
  readonly origin: string
  /** PEM. */
  readonly ca: string
  /** Whether the final object is sent, too. */
  readonly validates: boolean
}

/** Namespaces with this label and an endpoint's name are told to it. */
export const ENDPOINT = 'bench.test/endpoint'

/** Installs the chart's CRD. */
export async function installPolicies(cluster: Cluster, policies: readonly object[]): Promise<void> {
  const kinds = (await renderObjects()) as readonly { readonly kind: string }[]
  await cluster.apply(...kinds.filter(({ kind }) => kind === 'CustomResourceDefinition'))
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/iolimitpolicies.policy.iops-limit'])
  await cluster.apply(...policies)
}

/** What the chart registers for pods of namespaces that enforce a policy, rules and conditions to the letter; sent to the endpoint. */
export async function register(cluster: Cluster, { name, origin, ca, validates }: Endpoint): Promise<void> {
  const caBundle = Buffer.from(ca).toString('base64')
  const configurations = ((await renderObjects()) as readonly Registered[])
    .filter(({ kind }) => kind === MUTATING || (validates && kind === VALIDATING))
    .map(({ kind, webhooks }) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind,
      metadata: { name },
      webhooks: webhooks
        .filter((webhook) => webhook.name === 'enforce.pods.policy.iops-limit')
        .map((webhook) => ({
          ...webhook,
          name: `${name}.${webhook.name}`,
          clientConfig: { url: `${origin}/${kind === MUTATING ? 'mutate' : 'validate'}`, caBundle },
          namespaceSelector: { matchLabels: { [ENDPOINT]: name } },
          failurePolicy: 'Fail',
        })),
    }))
  await cluster.apply(...configurations)
}

const MUTATING = 'MutatingWebhookConfiguration'
const VALIDATING = 'ValidatingWebhookConfiguration'

const renderObjects = async (): Promise<readonly object[]> => objectsOf(await renderChart())

export const namespaceOf = (name: string, labels: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

export interface PodObject {
  readonly apiVersion: 'v1'
  readonly kind: 'Pod'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly spec: Readonly<Record<string, unknown>>
}

const RECORDED = new URL('../../test/fixtures/recorded/admission/10-create-pods.json', import.meta.url)

/** The recorded pod of a StatefulSet, under another name. */
export function readPodTemplate(): (name: string) => PodObject {
  const { request } = JSON.parse(readFileSync(RECORDED, 'utf8')) as {
    readonly request: { readonly object: PodObject }
  }
  const { metadata, spec } = request.object
  const { labels, ownerReferences } = metadata
  return (name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels, ownerReferences, annotations: { 'iops-limit/limit': '5000' } },
    spec,
  })
}
