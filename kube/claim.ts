/** One candidate's view of a Lease: what it has seen of it, and its attempts to hold it. */
import type { KubeClient } from './client.ts'
import { isKubeError } from './error.ts'
import {
  formatLease,
  formatMicroTime,
  isSameRecord,
  type LeaseName,
  type LeaseRecord,
  type LeaseTimings,
  readLease,
  type StoredLease,
} from './leaseRecord.ts'

export interface Attempt {
  /** Milliseconds, for all of its requests together. */
  readonly timeout: number
  readonly signal?: AbortSignal
}

export interface Claim {
  /** When the last successful attempt to hold the Lease began: nobody else can count from earlier. Seconds of the clock. */
  readonly heldSince: number
  /** Milliseconds until the Lease that another holds may be taken, unless a sign of life comes; 0: now, so far as is known. */
  readonly wait: number
  /** Takes or renews the Lease. Throws where the API server could not be asked. */
  take(attempt: Attempt): Promise<'held' | 'held by another' | 'written meanwhile'>
  /** Gives the Lease back, unless another holds it. */
  release(attempt: Attempt): Promise<void>
}

export interface ClaimDeps {
  readonly client: KubeClient
  readonly lease: LeaseName
  readonly timings: LeaseTimings
  readonly identity: string
  /** Seconds. */
  readonly clock: () => number
  readonly now: () => Date
}

interface Seen extends StoredLease {
  /** When this content was first seen, by our own clock. */
  readonly at: number
}

export function createClaim(deps: ClaimDeps): Claim {
  const { identity, clock, timings } = deps
  let seen: Seen | undefined
  let heldSince = 0
  const see = (stored: StoredLease): Seen => {
    const isNews = seen === undefined || !isSameRecord(seen.record, stored.record)
    seen = { ...stored, at: isNews ? clock() : (seen?.at ?? 0) }
    return seen
  }
  const findWait = ({ record, at }: Seen): number =>
    record.holder === '' || record.holder === identity
      ? 0
      : Math.max(0, timings.duration - (clock() - at) * 1000)
  return {
    get heldSince() {
      return heldSince
    },
    get wait() {
      return seen === undefined ? 0 : findWait(seen)
    },
    async take(attempt) {
      const began = clock()
      const found = await readStored(deps, attempt)
      const current = found && see(found)
      if (current !== undefined && findWait(current) > 0) return 'held by another'
      const left = { ...attempt, timeout: attempt.timeout - (clock() - began) * 1000 }
      const stored = await write(deps, left, findNext(deps, current?.record), current?.resourceVersion)
      if (stored === undefined) return 'written meanwhile'
      see(stored)
      heldSince = began
      return 'held'
    },
    async release(attempt) {
      if (seen?.record.holder !== identity) return
      const released = { ...findNext(deps, seen.record), holder: '' }
      const stored = await write(deps, attempt, released, seen.resourceVersion)
      if (stored !== undefined) see(stored)
    },
  }
}

/** Timers take whole milliseconds; one that is over already is asked for the shortest. */
const bounded = (attempt: Attempt): Attempt => ({
  ...attempt,
  timeout: Math.max(1, Math.floor(attempt.timeout)),
})

/** Undefined where there is no Lease yet. */
async function readStored({ client, lease }: ClaimDeps, attempt: Attempt): Promise<StoredLease | undefined> {
  try {
    return readLease(await client.request({ ...bounded(attempt), method: 'GET', path: pathOf(lease) }))
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined
    throw error
  }
}

function findNext({ identity, now }: ClaimDeps, before: LeaseRecord | undefined): LeaseRecord {
  const renewTime = formatMicroTime(now())
  if (before?.holder === identity) return { ...before, renewTime }
  const transitions = before === undefined ? 0 : before.transitions + 1
  return { holder: identity, acquireTime: renewTime, renewTime, transitions }
}

/** Undefined where another has written since: the version stated is not the one that stands. */
async function write(
  { client, lease, timings: { duration } }: ClaimDeps,
  attempt: Attempt,
  record: LeaseRecord,
  resourceVersion: string | undefined,
): Promise<StoredLease | undefined> {
  try {
    const isNew = resourceVersion === undefined
    const body = formatLease(lease, record, { duration, ...(!isNew && { resourceVersion }) })
    return readLease(
      await client.request({
        ...bounded(attempt),
        method: isNew ? 'POST' : 'PUT',
        path: isNew ? collectionOf(lease) : pathOf(lease),
        body,
      }),
    )
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'AlreadyExists')) return undefined
    throw error
  }
}

const collectionOf = ({ namespace }: LeaseName): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`

const pathOf = (lease: LeaseName): string => `${collectionOf(lease)}/${encodeURIComponent(lease.name)}`
