/**
 * The loop: what is to be is compared with what is, for everything at each interval, and for single pods as soon as their
 * cgroup comes, their list or their containers change. Whatever tells of that may fail in silence: the interval has it all.
 */
import { setImmediate as lookUp } from 'node:timers/promises'
import type { Problem } from '../../contract/problem.ts'
import type { NodePod } from '../core/pods.ts'
import { isLimited } from '../core/targets.ts'
import { findPodFolders } from '../node/tree.ts'
import type { Watches } from '../node/watches.ts'
import { findNotices } from '../pass.ts'
import { type Place, readPlace } from '../place.ts'
import type { EnforcerSettings } from '../settings.ts'
import type { Feed } from '../sources/feed.ts'
import type { Agenda, Item, Turn } from './agenda.ts'
import type { Folders } from './folders.ts'
import type { Inquiries } from './inquiries.ts'
import type { PodEnforcer, PodRecord } from './podEnforcer.ts'

export interface LoopDeps {
  readonly settings: EnforcerSettings
  readonly feed: Feed
  readonly agenda: Agenda
  readonly folders: Folders
  readonly watches: Watches
  readonly pods: PodEnforcer
  readonly inquiries: Inquiries
  readonly observe: LoopObserver
  /** Milliseconds. */
  readonly clock: () => number
}

export interface LoopObserver {
  /** After each pass over everything; `place` undefined where there was none to enforce on. */
  readonly passed: (pass: Pass) => void
  /** A mistake of ours: the loop goes on. */
  readonly broken: (error: unknown) => void
}

export interface Pass {
  readonly place: Place | undefined
  /** Listed pods, and those of them that carry limits to enforce. */
  readonly pods: number
  readonly limited: number
  /** Of the node as a whole; those of single pods are told by {@link PodEnforcer}. */
  readonly problems: readonly Problem[]
  readonly notices: readonly string[]
  /** Of the pass. */
  readonly milliseconds: number
}

/** Ends with the agenda. */
export async function runLoop(deps: LoopDeps): Promise<void> {
  const state: State = { place: undefined }
  for (let turn = await deps.agenda.next(); turn.kind !== 'end'; turn = await deps.agenda.next()) {
    try {
      if (turn.kind === 'all') await passOverAll(deps, state, turn)
      else takeTurn(deps, state, turn)
    } catch (error) {
      deps.observe.broken(error)
    }
  }
}

interface State {
  place: Place | undefined
}

async function passOverAll(deps: LoopDeps, state: State, item: Item): Promise<void> {
  const { settings, feed, folders, observe, clock } = deps
  const began = clock()
  const found = await takeTurnsDuring(readPlace(settings, feed.source !== 'file', state.place), deps, state)
  state.place = found.ok ? found.value : undefined
  if (!found.ok) {
    const milliseconds = clock() - began
    return observe.passed({
      place: undefined,
      pods: 0,
      limited: 0,
      problems: found.problems,
      notices: [],
      milliseconds,
    })
  }
  const place = found.value
  const problems = walk(deps, place)
  const pods = [...(feed.book?.pods.values() ?? [])]
  for (const [index, pod] of pods.entries()) {
    // What comes meanwhile is not to wait for the end of the pass: it is heard of now and then, and goes first.
    if (index % PODS_AT_ONCE === 0) await lookUp()
    takeTurns(deps, state)
    enforce(deps, place, pod, item)
  }
  forgetOthers(deps)
  const known = new Map([...folders.uids()].map((uid) => [uid, folders.of(uid)]))
  observe.passed({
    place,
    pods: pods.length,
    limited: pods.filter((pod) => isLimited(pod, place.rules)).length,
    problems: [...place.problems, ...(feed.book?.problems ?? []), ...problems],
    notices: findNotices(pods, known, place),
    milliseconds: clock() - began,
  })
}

/** A few milliseconds' worth. */
const PODS_AT_ONCE = 8

/** Watches, then lists: what comes in between is seen by one or the other. */
function walk({ feed, folders, watches, inquiries }: LoopDeps, { tree }: Place): readonly Problem[] {
  const uids = new Set(feed.book?.pods.keys())
  let found = findPodFolders(tree.root, uids)
  if (watches.add(found.parents)) found = findPodFolders(tree.root, uids)
  for (const uid of folders.replace(found)) if (!uids.has(uid)) inquiries.ask(uid, 'pod')
  return found.problems
}

/** Of single pods, by the place that is known already: what comes while it is looked for anew does not wait for that. */
async function takeTurnsDuring<T>(work: Promise<T>, deps: LoopDeps, state: State): Promise<T> {
  const over = work.then(
    () => true,
    () => true,
  )
  for (let isOver = false; !isOver; ) {
    takeTurns(deps, state)
    isOver = await Promise.race([over, deps.agenda.untilAdded().then(() => false)])
  }
  return await work
}

/** Of all single pods that wait. */
function takeTurns(deps: LoopDeps, state: State): void {
  for (let next = deps.agenda.takePod(); next !== undefined; next = deps.agenda.takePod())
    takeTurn(deps, state, next)
}

function takeTurn(deps: LoopDeps, { place }: State, turn: Turn): void {
  const { feed, folders, inquiries, pods } = deps
  // Without a place, the pass over everything finds one first.
  if (turn.kind !== 'pod' || place === undefined) return
  // Something new is there to ask about.
  if (turn.cause === 'cgroup') inquiries.settle(turn.uid)
  const pod = feed.book?.pods.get(turn.uid)
  if (pod !== undefined) return enforce(deps, place, pod, turn)
  pods.forget(turn.uid)
  if (folders.of(turn.uid).length > 0) inquiries.ask(turn.uid, 'pod')
  else inquiries.settle(turn.uid)
}

function enforce({ pods, folders, inquiries }: LoopDeps, place: Place, pod: NodePod, item: Item): void {
  const record: PodRecord = pods.enforce(pod, folders.of(pod.uid), { place, item })
  if (record.awaits === undefined) inquiries.settle(pod.uid)
  else inquiries.ask(pod.uid, record.awaits)
}

/** Pods that are listed no longer, and watches that nothing needs any more. */
function forgetOthers({ feed, folders, watches, pods, inquiries }: LoopDeps): void {
  const listed = feed.book?.pods
  for (const uid of [...pods.records.keys()]) if (listed?.has(uid) !== true) pods.forget(uid)
  watches.retain(
    new Set([...folders.parents, ...[...pods.records.values()].flatMap(({ watched }) => watched)]),
  )
  inquiries.retain(new Set([...folders.uids(), ...pods.records.keys()]))
}
