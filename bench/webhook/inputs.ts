/** What every server of the bench is given: certificates, a recorded review, namespaces and policies. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestCertificates } from '../../test/support/https/certificates.ts'

export interface Inputs extends Disposable {
  /** Holds all of the others, and what the servers write. */
  readonly folder: string
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** The recorded review as the API server sent it: JSON without spaces, 5.4 KB. */
  readonly body: string
  readonly namespaces: string
  readonly policies: string
}

export const NAMESPACES = 1000
export const POLICIES = 50
export const RULES = 20
/** The namespace of the recorded review. */
const OWN = 'rec'

const RECORDED = new URL('../../test/fixtures/recorded/admission/10-create-pods.json', import.meta.url)

export async function createInputs(): Promise<Inputs> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const { ca, cert, key } = await createTestCertificates()
  return {
    folder,
    ca: write('ca.crt', ca),
    cert: write('tls.crt', cert),
    key: write('tls.key', key),
    body: write('review.json', JSON.stringify(JSON.parse(readFileSync(RECORDED, 'utf8')))),
    namespaces: write('namespaces.json', JSON.stringify(listNamespaces(NAMESPACES))),
    policies: write('policies.json', JSON.stringify(listPolicies(POLICIES, RULES))),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** So many, the recorded review's among them, each opted in to a policy and to Pod Security's baseline. */
export const listNamespaces = (count: number): object => ({
  apiVersion: 'v1',
  kind: 'NamespaceList',
  metadata: { resourceVersion: '1' },
  items: Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: index === 0 ? OWN : `team-${index}`,
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion: '1',
      labels: {
        'kubernetes.io/metadata.name': index === 0 ? OWN : `team-${index}`,
        'iops-limit/enforce': nameOf(index % POLICIES),
        'pod-security.kubernetes.io/enforce': 'baseline',
      },
    },
  })),
})

const nameOf = (index: number): string => `policy-${index}`

/** Of each policy only the last rule takes the recorded pod, so that all of them are tried. */
export const listPolicies = (count: number, rules: number): object => ({
  apiVersion: 'v1',
  kind: 'IOLimitPolicyList',
  metadata: { resourceVersion: '1' },
  items: Array.from({ length: count }, (_, index) => policyOf(nameOf(index), rules)),
})

export const policyOf = (name: string, rules: number): object => ({
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name, uid: `policy-${name}`, resourceVersion: '1', generation: 1 },
  spec: {
    exemptNamespaces: ['legacy-*'],
    rules: [
      ...Array.from({ length: rules - 1 }, (_, index) => ruleOf(index)),
      {
        name: 'everything-else',
        exemptContainers: { names: ['istio-proxy', '*-exporter'], images: ['*/pause:*'] },
        default: { readIOPS: 2000, writeIOPS: 1000, readBPS: '200Mi', writeBPS: '100Mi' },
        max: { readIOPS: 5000, writeIOPS: 5000 },
        min: { readIOPS: 100 },
      },
    ],
  },
})

/** A rule that does not take the recorded pod, whose `app` is `pg`. */
const ruleOf = (index: number): object => ({
  name: `rule-${index}`,
  selector: {
    matchLabels: { app: `app-${index}` },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['data', 'cache'] },
      { key: 'example.com/experiment', operator: 'DoesNotExist' },
    ],
  },
  default: { iops: 500 },
  max: { iops: 1000 },
})
