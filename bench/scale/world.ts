/** Nodes, namespaces, policies and pods of a simulated cluster: admitted by the real webhook, and never run. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isKubeError } from '../../kube/error.ts'
import type { Cluster } from '../../test/support/cluster/cluster.ts'
import {
  ENDPOINT,
  installPolicies,
  namespaceOf,
  type PodObject,
  readPodTemplate,
} from '../cluster/objects.ts'
import { inTurns } from '../cluster/turns.ts'
import { policyOf, RULES } from '../webhook/inputs.ts'
import type { Size } from './paper.ts'

/** Each has about as many pods as the others; one in ten is under `silver`, the others under `gold`. */
const NAMESPACES = 50

export const nodeOf = (index: number): string => `node-${index}`
const namespaceAt = (index: number): string => `team-${index % NAMESPACES}`
const isSilver = (index: number): boolean => (index % NAMESPACES) % 10 === 0

/** Of so many pods, how many are under `silver`. */
export const countSilver = (pods: number): number => [...Array(pods).keys()].filter(isSilver).length

/** What stands before the first pod. `endpoint`: who is told of them. */
export async function prepare(cluster: Cluster, endpoint: string): Promise<void> {
  const policies = ['gold', 'silver'].map((name) => ({ ...policyOf(name, RULES), metadata: { name } }))
  await installPolicies(cluster, policies)
  const labels = (policy: string) => ({ [ENDPOINT]: endpoint, 'iops-limit/enforce': policy })
  await cluster.apply(
    namespaceOf('iops-limit', {}),
    namespaceOf('rec', { 'iops-limit/enforce': 'gold' }),
    ...Array.from({ length: NAMESPACES }, (_, index) =>
      namespaceOf(namespaceAt(index), labels(isSilver(index) ? 'silver' : 'gold')),
    ),
  )
}

const AT_ONCE = 30

export async function createNodes(cluster: Cluster, { nodes }: Pick<Size, 'nodes'>): Promise<void> {
  await inTurns(Array(nodes).keys(), AT_ONCE, (index) =>
    post(cluster, '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeOf(index), labels: { 'kubernetes.io/os': 'linux' } },
    }),
  )
}

export async function createPods(cluster: Cluster, { nodes, pods }: Size): Promise<void> {
  const template = readPodTemplate()
  await inTurns(Array(pods).keys(), AT_ONCE, (index) =>
    post(cluster, collectionAt(index), onNode(template(`pod-${index}`), index % nodes)),
  )
}

/** It has asked for nothing, so that all of its limits are the policy's. */
const onNode = ({ metadata, spec, ...rest }: PodObject, node: number): PodObject => ({
  ...rest,
  metadata: { ...metadata, annotations: { 'bench.test/made-by': 'scale' } },
  spec: { ...spec, nodeName: nodeOf(node) },
})

const collectionAt = (index: number): string => `/api/v1/namespaces/${namespaceAt(index)}/pods`

/** A pod comes, runs and goes: three events for its node. */
export async function passThrough(cluster: Cluster, index: number, { nodes }: Size): Promise<void> {
  const name = `passing-${index}`
  const path = `${collectionAt(index)}/${name}`
  await post(cluster, collectionAt(index), onNode(readPodTemplate()(name), index % nodes))
  await cluster.client.request({
    ...{ method: 'PATCH', path: `${path}/status`, contentType: 'application/merge-patch+json' },
    body: { status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] } },
  })
  await cluster.client.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } })
}

/** Of the rule that decides. */
export async function changePolicy(
  cluster: Cluster,
  name: 'gold' | 'silver',
  field: 'default' | 'max',
  readIOPS: number,
): Promise<void> {
  await cluster.client.request({
    method: 'PATCH',
    path: `/apis/policy.iops-limit/v1alpha1/iolimitpolicies/${name}`,
    contentType: 'application/json-patch+json',
    body: [{ op: 'replace', path: `/spec/rules/${RULES - 1}/${field}/readIOPS`, value: readIOPS }],
  })
}

const TRIES = 20

/** A busy machine drops connections, and lets webhooks time out: what is there already is there. */
async function post(cluster: Cluster, path: string, body: object): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await cluster.client.request({ method: 'POST', path, body })
      return
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) return
      if (tries === TRIES) throw error
      await sleep(250)
    }
  }
}
