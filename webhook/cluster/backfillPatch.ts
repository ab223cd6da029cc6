/** One pod mended. */
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError, type KubeError } from '../../kube/error.ts'
import { type Backfill, type PodPatch, readStandingPod, type StandingPod } from '../admission/backfill.ts'
import { BACKFILL_MANAGER } from '../admission/ownership.ts'
import { collectionOf } from './backfillPods.ts'
import type { Pace } from './pace.ts'

/**
 * `mended`: the pod carries what it should, whoever saw to it. `gone`: it has ended, or nothing is to be done about it any more.
 * `contended`: others kept changing it. `refused`: the API server would not have it.
 */
export type PatchOutcome = 'mended' | 'gone' | 'contended' | 'refused'

export interface PatchDeps {
  readonly client: KubeClient
  readonly pace: Pace
  /** Decided anew for what was read anew; undefined for a pod that is left alone. */
  readonly plan: (pod: StandingPod) => Backfill | undefined
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly observe: PatchObserver
  readonly signal: AbortSignal
}

export interface PatchObserver {
  /** A write was carried out. */
  readonly patched: () => void
  /** Another had changed the pod since it was read. */
  readonly conflicted: () => void
  /** A pod, or its Event, could not be written, and will be tried again by a later pass. */
  readonly failed: (error: unknown) => void
}

const MOST_ATTEMPTS = 4

/** Throws where the API server cannot be reached at all: that is no matter of this pod. */
export async function mendPod(pod: StandingPod, patch: PodPatch, deps: PatchDeps): Promise<PatchOutcome> {
  let next: PodPatch | undefined = patch
  for (let attempt = 1; next !== undefined; attempt++) {
    await deps.pace.wait(deps.signal)
    const error = await sendPatch(pod, next, deps)
    if (error === undefined) return 'mended'
    if (isKubeError(error, 'NotFound')) return 'gone'
    if (!isConflict(error) && !isPassing(error)) {
      deps.observe.failed(error)
      return 'refused'
    }
    if (isConflict(error)) deps.observe.conflicted()
    if (attempt === MOST_ATTEMPTS) {
      if (!isConflict(error)) deps.observe.failed(error)
      return 'contended'
    }
    if (isPassing(error)) await deps.sleep(findPause(error, attempt), deps.signal).catch(() => undefined)
    const current: Pick<Backfill, 'patch'> | undefined = isConflict(error)
      ? await readAgain(pod, deps)
      : { patch: next }
    if (current === undefined) return 'gone'
    next = current.patch
  }
  return 'mended'
}

async function sendPatch(
  { namespace, name }: StandingPod,
  body: PodPatch,
  { client, signal, observe }: PatchDeps,
): Promise<KubeError | undefined> {
  try {
    await client.request({
      method: 'PATCH',
      path: pathOf(namespace, name),
      query: { fieldManager: BACKFILL_MANAGER },
      contentType: 'application/merge-patch+json',
      body,
      signal,
    })
    observe.patched()
    return undefined
  } catch (error) {
    if (!isKubeError(error) || isUnreachable(error)) throw error
    return error
  }
}

const pathOf = (namespace: string, name: string): string =>
  `${collectionOf(namespace)}/${encodeURIComponent(name)}`

/** Undefined where nothing is left to do: it is another pod, or none, or one that is ending. */
async function readAgain(
  pod: StandingPod,
  { client, plan, signal }: PatchDeps,
): Promise<Backfill | undefined> {
  try {
    const path = pathOf(pod.namespace, pod.name)
    const current = readStandingPod(await client.request({ method: 'GET', path, signal }))
    return current?.uid === pod.uid ? plan(current) : undefined
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined
    throw error
  }
}

const isConflict = (error: KubeError): boolean => error.reason === 'Conflict'

/** The API server has too much to do, or is about to be replaced. */
const isPassing = ({ status }: KubeError): boolean => [429, 503, 504].includes(status)

/** Every other pod would fare the same. */
const isUnreachable = ({ reason, status }: KubeError): boolean => reason === 'Unreachable' || status === 401

const LONGEST_PAUSE = 60_000

/** Milliseconds: what the server asks for, else half a second, doubled each time. */
const findPause = ({ retryAfter = 0 }: KubeError, attempt: number): number =>
  Math.min(Math.max(retryAfter, 250 * 2 ** attempt), LONGEST_PAUSE)
