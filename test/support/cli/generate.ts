/** Pods and workloads as people write them, right and wrong, by chance that repeats itself. */
import { ALIAS_KEYS } from '../../../contract/aliases.ts'
import {
  CONTAINER_PREFIX,
  LIMIT_NAMES,
  limitKey,
  SCOPE_KEY,
  WRITER_ONLY_KEYS,
} from '../../../contract/keys.ts'
import type { Random } from '../random.ts'

export interface GeneratedPod {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: object
}

const VALUES = [
  ...[
    '0',
    'max',
    '1',
    '2',
    '99',
    '100',
    '400',
    '500',
    '1000',
    '1001',
    '5000',
    '5001',
    '4294967294',
    '4294967295',
  ],
  ...[
    '10Mi',
    '50M',
    '200Mi',
    '1.5Gi',
    '64K',
    '50MB',
    '100m',
    '1e6',
    '-1',
    '1,000',
    '',
    ' 5',
    'viel',
    '${LIMIT}',
    '"9"',
  ],
  ...[
    'read-iops=800',
    'read-iops=800,write-bps=50Mi',
    'limit=9000',
    'iops=5',
    'pod',
    'container',
    'gold/databases',
    'read-iops',
  ],
]
const KEYS = [
  ...LIMIT_NAMES.map(limitKey),
  ...ALIAS_KEYS.keys(),
  ...WRITER_ONLY_KEYS,
  ...[SCOPE_KEY, `${CONTAINER_PREFIX}main`, `${CONTAINER_PREFIX}gone`, `${CONTAINER_PREFIX}istio-proxy`],
  ...['iops-limit/read_iops', 'prometheus.io/scrape', 'iops-limit/enforce'],
]
const LABELS = ['app=pg', 'app=db', 'app=web', 'tier=system', 'tier=web', 'x=y']
const NAMES = ['main', 'istio-proxy', 'pg-exporter', 'backup', 'log']
const IMAGES = ['postgres:18', 'registry.example.com/pause:3', 'nginx']

export function generatePod({ below, pick }: Random): GeneratedPod {
  const some = <T>(most: number, make: () => T): readonly T[] => Array.from({ length: below(most + 1) }, make)
  const labels = Object.fromEntries(some(3, () => pick(LABELS).split('=')) as readonly [string, string][])
  const annotations = Object.fromEntries(some(4, () => [pick(KEYS), pick(VALUES)] as const))
  const names = [...new Set(['main', ...some(2, () => pick(NAMES))])]
  return {
    metadata: {
      ...(below(5) > 0 && { labels }),
      ...(below(5) > 0 && { annotations }),
    },
    spec: {
      containers: names.map((name) => ({ name, image: pick(IMAGES) })),
      ...(below(4) === 0 && { initContainers: [{ name: 'init', image: pick(IMAGES) }] }),
    },
  }
}

/** The pod, or one of the workloads around it. */
export function wrapPod(
  pod: GeneratedPod,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  { pick }: Random,
): object {
  const metadata = { name, namespace }
  const template = { template: pod }
  switch (pick(['Pod', 'Pod', 'Deployment', 'StatefulSet', 'Job', 'CronJob', 'ReplicationController'])) {
    case 'Deployment':
      return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: template }
    case 'StatefulSet':
      return {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata,
        spec: { serviceName: name, ...template },
      }
    case 'Job':
      return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: template }
    case 'CronJob':
      return {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata,
        spec: { schedule: '0 0 * * *', jobTemplate: { spec: template } },
      }
    case 'ReplicationController':
      return { apiVersion: 'v1', kind: 'ReplicationController', metadata, spec: template }
    default:
      return { apiVersion: 'v1', kind: 'Pod', metadata: { ...pod.metadata, ...metadata }, spec: pod.spec }
  }
}
