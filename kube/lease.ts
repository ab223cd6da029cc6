/**
 * Leader election on a Lease, as client-go does it (k8s.io/client-go/tools/leaderelection/leaderelection.go).
 * A candidate takes over once it has itself seen no change of the Lease for its whole duration: no clock is compared with
 * another's, so they may differ by any amount, so long as they run about equally fast. The leader ends its work earlier than that.
 */
import { type Claim, createClaim } from './claim.ts'
import type { KubeClient } from './client.ts'
import type { LeaseName, LeaseTimings } from './leaseRecord.ts'

/** client-go's. */
export const LEASE_TIMINGS: LeaseTimings = { duration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }

export interface LeaseObserver {
  readonly leading: () => void
  /** The work has ended; `why` as a phrase. */
  readonly ended: (why: string) => void
  /** One attempt at the Lease, or the work itself, failed; there will be others. */
  readonly failed: (error: unknown) => void
}

export interface LeaderDeps {
  /** Unlike any other candidate's; the pod's name. */
  readonly identity: string
  /** Seconds from any start, never stepping back. */
  readonly clock: () => number
  /** For the times in the Lease, which nobody reads but people. */
  readonly now: () => Date
  /** Fulfilled after so many milliseconds; ends early, in whichever way, once the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** From 0 up to 1. */
  readonly random: () => number
  readonly stopped: AbortSignal
  /** The leader's work: goes on until the signal aborts, and is ended before the Lease is given back. */
  readonly lead: (signal: AbortSignal) => Promise<void>
  readonly observe: LeaseObserver
  readonly timings?: LeaseTimings
}

/**
 * Contends for the Lease until stopped, and leads whenever it is won. Never rejects.
 * Two can still believe that they lead where a process stands still for longer than the Lease lasts: so the work itself has to
 * state the version of what it writes.
 */
export async function runAsLeader(client: KubeClient, lease: LeaseName, deps: LeaderDeps): Promise<void> {
  const timings = deps.timings ?? LEASE_TIMINGS
  const claim = createClaim({
    client,
    lease,
    timings,
    identity: deps.identity,
    clock: deps.clock,
    now: deps.now,
  })
  const isStopped = (): boolean => deps.stopped.aborted
  while (!isStopped()) {
    if (await isTaken(claim, timings.renewDeadline, deps)) await leadOnce(claim, timings, deps)
    if (!isStopped()) await rest(deps, findPause(claim, timings, deps.random), deps.stopped)
  }
}

async function isTaken(claim: Claim, timeout: number, { observe, stopped }: LeaderDeps): Promise<boolean> {
  try {
    return (await claim.take({ timeout, signal: stopped })) === 'held'
  } catch (error) {
    if (!stopped.aborted) observe.failed(error)
    return false
  }
}

/** From the Lease won to the Lease lost or given back. */
async function leadOnce(claim: Claim, timings: LeaseTimings, deps: LeaderDeps): Promise<void> {
  const { lead, observe, stopped } = deps
  const over = new AbortController()
  const signal = AbortSignal.any([stopped, over.signal])
  observe.leading()
  let why = 'it has nothing more to do'
  const work = lead(signal)
    .catch((error: unknown) => {
      if (signal.aborted) return
      observe.failed(error)
      why = 'it broke'
    })
    .finally(() => over.abort())
  const isLost = await keep(claim, timings, { ...deps, stopped: signal })
  over.abort()
  await work
  // A Lease that was lost is another's.
  if (!isLost) await giveBack(claim, timings, observe)
  observe.ended(isLost ? 'the lease was lost' : stopped.aborted ? 'it was asked to stop' : why)
}

/** Renews until stopped; true where the Lease is lost. */
async function keep(
  claim: Claim,
  { renewDeadline, retryPeriod }: LeaseTimings,
  deps: LeaderDeps,
): Promise<boolean> {
  const { clock, stopped, observe } = deps
  // Half of what there is at most, so that one lost packet does not cost the Lease.
  const longest = renewDeadline / 2
  const remaining = (): number => renewDeadline - (clock() - claim.heldSince) * 1000
  const isStopped = (): boolean => stopped.aborted
  while (!isStopped()) {
    await rest(deps, Math.min(retryPeriod, Math.max(0, remaining())), stopped)
    if (isStopped()) return false
    if (remaining() <= 0) return true
    try {
      const outcome = await claim.take({ timeout: Math.min(remaining(), longest), signal: stopped })
      if (outcome === 'held by another') return true
    } catch (error) {
      if (!isStopped()) observe.failed(error)
    }
  }
  return false
}

/** Whoever comes next need not wait; where it fails, he waits. */
async function giveBack(claim: Claim, { retryPeriod }: LeaseTimings, observe: LeaseObserver): Promise<void> {
  try {
    await claim.release({ timeout: retryPeriod })
  } catch (error) {
    observe.failed(error)
  }
}

/** From the retry period to 2.2 times it, as client-go spreads candidates; but no later than the Lease may be taken. */
function findPause({ wait }: Claim, { retryPeriod }: LeaseTimings, random: () => number): number {
  const usual = retryPeriod * (1 + 1.2 * random())
  return wait === 0 ? usual : Math.min(usual, wait + random() * SPREAD)
}

const SPREAD = 500

async function rest({ sleep }: LeaderDeps, milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
