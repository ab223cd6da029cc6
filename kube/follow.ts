/**
 * A collection of the API, followed for as long as the program runs: listed once, watched from there, and never lost for long.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { messageOf } from '../contract/problem.ts'
import type { KubeClient } from './client.ts'
import { isKubeError, KubeError } from './error.ts'
import { type ChangeType, type Page, parsePage, parseWatchLine } from './messages.ts'
import { findPause } from './pause.ts'

export interface Collection {
  /** `/api/v1/namespaces` */
  readonly path: string
  /** `fieldSelector`, `labelSelector`. */
  readonly query?: Readonly<Record<string, string>>
  /** What {@link CollectionEvents.listed} is told of each item, so that a long list need not be held whole; all of it where left out. */
  readonly slim?: (item: unknown) => unknown
  /**
   * Lists come from the API server's cache, in one piece and as new as anything heard before, as kubelets and client-go ask for
   * them. A consistent list has the API server read all objects from an etcd before 3.4.31 or 3.5.13, of which the selector then
   * leaves a few: for a list on every node that is too much. What is not quite new is made up for by the watch.
   */
  readonly isCached?: boolean
}

export interface CollectionEvents {
  /** The whole state: after the first list, and after each further one. */
  listed(items: readonly unknown[]): void
  /** For DELETED the object as it was last. */
  changed(type: ChangeType, item: unknown): void
}

/**
 * Why a watch had to be opened anew. `ended`: the server's own time limit, routine. `silent`: nothing was heard, not even a
 * bookmark. `expired`: 410, routine as well, the state is listed anew. `error`: refused, or an ERROR line. `broken`: the connection.
 */
export type RestartReason = 'ended' | 'silent' | 'expired' | 'error' | 'broken'

export interface FollowObserver {
  /** A list begins. */
  readonly listing?: () => void
  /** A list has ended, and been told to the events. */
  readonly synced: () => void
  /** A sign of life: a watch was opened, or has brought an event or a bookmark. */
  readonly heard?: () => void
  /** A list or a watch failed; it is tried again. */
  readonly failed: (error: KubeError) => void
  readonly restarted: (reason: RestartReason) => void
}

export interface FollowDeps {
  readonly events: CollectionEvents
  readonly stopped: AbortSignal
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly observe: FollowObserver
  /** Milliseconds without a line until a watch counts as dead: {@link PATIENCE} where it is left out. */
  readonly patience?: number
}

/**
 * The API server sends a bookmark each minute (bookmarkFrequency in k8s.io/apiserver/pkg/storage/cacher): it may be late. Of a
 * kind that has not changed since the server's start it sends none: such a watch is opened anew in vain, at little cost.
 */
export const PATIENCE = 90_000

/**
 * Lists in pages, then watches from there with bookmarks; resumes where a watch ends, lists again where that is not possible.
 * Until stopped; never rejects: every failure is told and tried again, after a pause that grows with each one in a row.
 */
export async function followCollection(
  client: KubeClient,
  collection: Collection,
  deps: FollowDeps,
): Promise<void> {
  const isStopped = (): boolean => deps.stopped.aborted
  const follower: Follower = { ...deps, client, collection, isStopped }
  const place: Place = { version: undefined, seen: ANY, failures: 0 }
  while (!isStopped()) {
    const failure = await runTurn(follower, place)
    if (isStopped()) return
    if (failure !== undefined) deps.observe.failed(failure)
    const pause = findPause(place.failures, failure?.retryAfter ?? 0, deps.random)
    await deps.sleep(pause, deps.stopped).catch(() => undefined)
  }
}

interface Follower extends FollowDeps {
  readonly client: KubeClient
  readonly collection: Collection
  readonly isStopped: () => boolean
}

/** Where a follower stands. */
interface Place {
  /** Of the last thing heard; undefined: nothing is known, or it is too old to go on from. */
  version: string | undefined
  /** Of the newest state that was ever told. */
  seen: string
  /** In a row. */
  failures: number
}

/** One watch, with a list before it where one is needed; gives what went wrong. */
async function runTurn(follower: Follower, place: Place): Promise<KubeError | undefined> {
  try {
    place.version ??= await list(follower, place)
    place.seen = place.version
  } catch (error) {
    place.failures += 1
    // An etcd that was restored from a backup may never come to where it has been.
    place.seen = ANY
    return toKubeError(error)
  }
  if (follower.isStopped()) return undefined
  const { reason, failure } = await watch(follower, place.version, place)
  if (!follower.isStopped()) follower.observe.restarted(reason)
  // The server's cache has a bounded past: where it is over there is only a list to be made, which may fail or not.
  return reason === 'expired' ? undefined : failure
}

const PAGE_SIZE = '500'
const LONGEST_PAGE = 60_000

/** As a list's resourceVersion: whatever the cache holds. */
const ANY = '0'

async function list(follower: Follower, { seen }: Place): Promise<string> {
  const { events, observe, collection } = follower
  observe.listing?.()
  const isCached = collection.isCached === true
  const { items, version } = await (isCached
    ? readPage(follower, { resourceVersion: seen })
    : readAll(follower))
  events.listed(items)
  observe.synced()
  return version
}

/** Every page is of one moment. Where the moment expires in between, the whole comes in one piece, as client-go does it. */
async function readAll(follower: Follower): Promise<Omit<Page, 'next'>> {
  const items: unknown[] = []
  try {
    let page = await readPage(follower, { limit: PAGE_SIZE })
    items.push(...page.items)
    while (page.next !== '') {
      page = await readPage(follower, { limit: PAGE_SIZE, continue: page.next })
      items.push(...page.items)
    }
    return { items, version: page.version }
  } catch (error) {
    if (!isExpired(error)) throw error
    return await readPage(follower, {})
  }
}

async function readPage(
  { client, collection, stopped }: Follower,
  query: Readonly<Record<string, string>>,
): Promise<Page> {
  const { path, slim } = collection
  const body = await client.request({
    method: 'GET',
    path,
    query: { ...collection.query, ...query },
    timeout: LONGEST_PAGE,
    signal: stopped,
  })
  const page = parsePage(body, path)
  return slim === undefined ? page : { ...page, items: page.items.map(slim) }
}

interface End {
  readonly reason: RestartReason
  readonly failure?: KubeError
}

async function watch(follower: Follower, version: string, place: Place): Promise<End> {
  const over = new AbortController()
  const signal = AbortSignal.any([follower.stopped, over.signal])
  const pulse: Pulse = { silent: 0, stood: false }
  const guard = watchPulse(follower, pulse, over)
  const end = await readEvents(follower, { version, signal, pulse }, place).then(
    (): End => ({ reason: pulse.silent < SILENT_CHECKS ? 'ended' : 'silent' }),
    (error: unknown): End => findEnd(toKubeError(error)),
  )
  over.abort()
  await guard
  if (end.failure !== undefined && !isResumable(end.failure)) place.version = undefined
  // What ends at once, again and again, must be no busy loop, not even where the server calls it an orderly end.
  place.failures = pulse.stood ? 0 : place.failures + 1
  return end
}

interface Opened {
  readonly version: string
  readonly signal: AbortSignal
  readonly pulse: Pulse
}

async function readEvents(
  follower: Follower,
  { version, signal, pulse }: Opened,
  place: Place,
): Promise<void> {
  const { client, collection, events, observe, random } = follower
  const { path } = collection
  const query = {
    ...collection.query,
    watch: 'true',
    resourceVersion: version,
    allowWatchBookmarks: 'true',
    // As client-go: five to ten minutes, so that not every watch of a fleet ends at once.
    timeoutSeconds: String(Math.floor(300 * (1 + random()))),
  }
  const onOpen = (): void => observe.heard?.()
  for await (const line of client.watch({ path, query, signal, onOpen })) {
    if (signal.aborted) return
    // A line that cannot be read, or says ERROR, may hide a change: from it on nothing is known.
    place.version = undefined
    const event = parseWatchLine(line, path)
    if (event.type !== 'BOOKMARK') events.changed(event.type, event.object)
    place.version = event.version
    place.seen = event.version
    pulse.silent = 0
    observe.heard?.()
  }
}

/** Signs of life of one watch. */
interface Pulse {
  /** Checks since the last line. */
  silent: number
  /** Not over before the first check. */
  stood: boolean
}

const SILENT_CHECKS = 24

/** Ends a watch on which nothing was heard for as long as patience lasts: TCP may be half open, a proxy may hang. */
async function watchPulse(
  { sleep, patience = PATIENCE }: Follower,
  pulse: Pulse,
  over: AbortController,
): Promise<void> {
  const isOver = (): boolean => over.signal.aborted
  while (!isOver()) {
    await sleep(patience / SILENT_CHECKS, over.signal).catch(() => undefined)
    if (isOver()) return
    pulse.stood = true
    pulse.silent += 1
    if (pulse.silent >= SILENT_CHECKS) over.abort()
  }
}

const isExpired = (error: unknown): boolean => error instanceof KubeError && error.status === 410

/** Whether the next watch can go on from where this one was. */
const isResumable = ({ status }: KubeError): boolean =>
  status === 0 || status >= 500 || [401, 403, 429].includes(status)

function findEnd(failure: KubeError): End {
  if (isExpired(failure)) return { reason: 'expired', failure }
  return { reason: failure.status === 0 ? 'broken' : 'error', failure }
}

/** Mistakes of the events' receiver too: they end nothing, and the state is listed anew. */
const toKubeError = (error: unknown): KubeError =>
  isKubeError(error)
    ? error
    : new KubeError(messageOf(error), { status: 200, reason: 'Mistake', cause: error })
