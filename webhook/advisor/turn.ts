/** One turn of the advisor: what the pods did is asked for, what follows is decided, and written. */
import { readAdmitted } from '../../contract/admitted.ts'
import { createPace } from '../cluster/pace.ts'
import type { Adaptive, Namespaces } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { type ActObserver, actOn } from './act.ts'
import { advise } from './core/decide.ts'
import { forgetPods, type Memory } from './memory.ts'
import { keyOf } from './pods.ts'
import { findReading } from './reading.ts'
import { findRegions, type Region } from './regions.ts'
import { type Rows, type SurveyDeps, type SurveyObserver, surveyNodes } from './survey.ts'
import { type Count, countPods, type Gathered, gatherPods, isAdapted, type Watched } from './watched.ts'

export interface TurnDeps extends SurveyDeps {
  /** Who says so, in Events: this pod's name. */
  readonly identity: string
  readonly readRulebook: () => Rulebook
  /** As they are at this moment. */
  readonly readNamespaces: () => Namespaces
  readonly now: () => Date
  readonly observe: TurnObserver
}

export interface TurnObserver extends ActObserver, SurveyObserver {
  /** By name of the policy. */
  readonly counted: (counts: ReadonlyMap<string, Count>) => void
  readonly failed: (error: unknown) => void
}

/** Rejects where it was ended, or where the API server takes no writes now. */
export async function takeTurn(deps: TurnDeps, memory: Memory): Promise<void> {
  const { signal, observe } = deps
  const namespaces = deps.readNamespaces()
  const regions = findRegions(deps.readRulebook(), namespaces, memory.cleared)
  const { watched, failed } = await gatherPods(regions, deps)
  observe.counted(countPods(watched))
  const seen = watched.filter(({ adaptive }) => adaptive !== undefined).map(({ pod }) => pod)
  const rows = await surveyNodes(seen, deps)
  signal.throwIfAborted()
  clean({ watched, failed }, namespaces, memory)
  settle({ regions, watched, failed }, memory)
  await noteAll({ watched, rows }, deps, memory)
  await adviseAll(watched, deps, memory)
}

/** What is gone leaves nothing behind; a namespace that could not be listed may still be there. */
function clean({ watched, failed }: Gathered, namespaces: Namespaces, memory: Memory): void {
  const present = new Set(watched.map(({ pod }) => keyOf(pod)))
  forgetPods(memory, (key) => present.has(key) || failed.has(key.slice(0, key.indexOf('/'))))
  for (const name of memory.cleared.keys()) if (!namespaces.has(name)) memory.cleared.delete(name)
}

/** Once more where something has to be released, to see that it is. */
function settle(
  { regions, watched, failed }: Gathered & { readonly regions: readonly Region[] },
  { cleared }: Memory,
): void {
  const open = new Set(watched.filter(isAdapted).map(({ pod }) => pod.namespace))
  for (const { namespace, policy, isAdaptive } of regions) {
    if (isAdaptive || open.has(namespace) || failed.has(namespace)) cleared.delete(namespace)
    else cleared.set(namespace, policy)
  }
}

interface Scene {
  readonly watched: readonly Watched[]
  readonly rows: Rows
}

/** Pods that are looked at in one go; then whoever waits for this process is served. */
const AT_ONCE = 100

/** All of it before anything is written: a write that fails costs no reading. */
async function noteAll({ watched, rows }: Scene, deps: TurnDeps, { histories }: Memory): Promise<void> {
  for (const [index, { pod, adaptive }] of watched.entries()) {
    await breathe(index, deps)
    const told = rows.get(pod.uid)
    if (told === undefined || adaptive === undefined) continue
    const reading = findReading(told, readAdmitted(pod.info.annotations))
    if (reading !== undefined) histories.add(keyOf(pod), reading, findKeep(adaptive))
  }
}

async function breathe(index: number, { sleep, signal }: TurnDeps): Promise<void> {
  if (index % AT_ONCE === AT_ONCE - 1) await sleep(0, signal)
}

/** Milliseconds: how far back the rule looks. */
const findKeep = ({ windows, release }: Adaptive): number =>
  Math.max(release.for, ...windows.map(({ over }) => over))

/** A second: each write goes through admission, and tells somebody. */
const WRITES = 20

/** For half of a turn at most, since the next one must not come late: it goes on with what is left. */
async function adviseAll(watched: readonly Watched[], deps: TurnDeps, memory: Memory): Promise<void> {
  const { clock, now, settings } = deps
  const acts = { ...deps, memory, pace: createPace({ ...deps, qps: WRITES }) }
  const end = clock() + settings.interval / 2000
  for (const [index, { pod, rule }] of watched.entries()) {
    await breathe(index, deps)
    if (clock() > end) return
    const history = memory.histories.find(keyOf(pod))
    const advice = advise({ pod: pod.info, rule, history, now: now().getTime() })
    if (advice.kind !== 'none') await actOn(pod, advice, acts)
  }
}
