/** A Lease object as it is used for an election. Source: k8s.io/api/coordination/v1/types.go (LeaseSpec). */
import { childOf, type Field, isAbsent, readMap, readString, rootField } from '../contract/reader.ts'

export interface LeaseName {
  readonly namespace: string
  readonly name: string
}

export interface LeaseTimings {
  /** Milliseconds without a sign of life after which others may take over. */
  readonly duration: number
  /** Milliseconds without a successful renewal after which the leader gives up; shorter than {@link duration}. */
  readonly renewDeadline: number
  /** Milliseconds between attempts, the leader's and the candidates'. */
  readonly retryPeriod: number
}

/** What decides who leads; compared as a whole: any change says that its holder lives. */
export interface LeaseRecord {
  /** Empty: given back. */
  readonly holder: string
  readonly acquireTime: string
  readonly renewTime: string
  readonly transitions: number
}

export interface StoredLease {
  readonly record: LeaseRecord
  /** Of the object: whoever writes says which version he saw. */
  readonly resourceVersion: string
}

/** Lenient: whatever stands there can be taken over, since the API server lets only those with the right write it. */
export function readLease(body: unknown): StoredLease {
  const root = rootField(body, 'lease')
  const metadata = readPart(root, 'metadata')
  const spec = readPart(root, 'spec')
  const transitions = spec('leaseTransitions').value
  return {
    resourceVersion: readText(metadata('resourceVersion')),
    record: {
      holder: readText(spec('holderIdentity')),
      acquireTime: readText(spec('acquireTime')),
      renewTime: readText(spec('renewTime')),
      transitions: typeof transitions === 'number' ? transitions : 0,
    },
  }
}

function readPart(root: Field, part: string): (key: string) => Field {
  const map = readMap(root) ?? {}
  const field = childOf(root, map, part)
  const values = isAbsent(field) ? {} : (readMap(field) ?? {})
  return (key) => childOf(field, values, key)
}

const readText = (field: Field): string => (isAbsent(field) ? '' : (readString(field) ?? ''))

/** The times are for people: nobody's clock is compared with another's. */
export const formatLease = (
  { namespace, name }: LeaseName,
  record: LeaseRecord,
  { duration, resourceVersion }: { readonly duration: number; readonly resourceVersion?: string },
): unknown => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { namespace, name, ...(resourceVersion !== undefined && { resourceVersion }) },
  spec: {
    holderIdentity: record.holder,
    leaseDurationSeconds: Math.max(1, Math.round(duration / 1000)),
    acquireTime: record.acquireTime,
    renewTime: record.renewTime,
    leaseTransitions: record.transitions,
  },
})

/** `metav1.MicroTime`. */
export const formatMicroTime = (time: Date): string => time.toISOString().replace('Z', '000Z')

export const isSameRecord = (a: LeaseRecord, b: LeaseRecord): boolean =>
  a.holder === b.holder &&
  a.acquireTime === b.acquireTime &&
  a.renewTime === b.renewTime &&
  a.transitions === b.transitions
