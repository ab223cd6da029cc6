/**
 * Back-fill: the pods of opted-in namespaces get what admission would have given them, whatever it missed. All state is in the
 * pods themselves: whoever leads next begins anew, and finds done what was done.
 */
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import { planBackfill } from '../admission/backfill.ts'
import type { Namespaces } from '../policy/policy.ts'
import type { Rulebook } from '../policy/rulebook.ts'
import { type Agenda, createAgenda } from './backfillAgenda.ts'
import { createTeller } from './backfillEvents.ts'
import type { PatchObserver } from './backfillPatch.ts'
import { type SweepDeps, sweepRest, sweepUrgent } from './backfillSweep.ts'
import { createTally, type Figures } from './backfillTally.ts'
import { createPace } from './pace.ts'

export interface BackfillObserver extends PatchObserver {
  /** An Event on a pod was written. */
  readonly told: () => void
  /** What is amiss, as it changes. */
  readonly counted: (figures: Figures) => void
  /** Namespaces were examined; `isFull`: all that have opted in. */
  readonly passed: (pass: Pass) => void
}

export interface Pass {
  readonly namespaces: number
  readonly pods: number
  readonly seconds: number
  readonly isFull: boolean
}

export interface BackfillSettings {
  /** Milliseconds between passes over all namespaces that have opted in; ten percent more or less by chance. */
  readonly interval: number
  /** Writes a second, patches and Events together. */
  readonly qps: number
  /** Pods a page. */
  readonly pageSize: number
}

export interface BackfillDeps {
  readonly client: KubeClient
  /** Who says so, in Events: this pod's name. */
  readonly identity: string
  /** As it is in force at this moment: a policy that has not changed is the same object. */
  readonly readRulebook: () => Rulebook
  /** As they are at this moment. */
  readonly readNamespaces: () => Namespaces
  /** Has the listener called whenever policies or namespaces may have changed; gives what ends that. */
  readonly onChange: (listener: () => void) => () => void
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly now: () => Date
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ends early once the signal aborts, in whichever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly observe: BackfillObserver
  /** The leader's signal. */
  readonly stopped: AbortSignal
  readonly settings: BackfillSettings
}

/** Until stopped; never rejects. */
export async function runBackfill(deps: BackfillDeps): Promise<void> {
  const { observe, stopped } = deps
  const alarm = createAlarm(deps)
  const backfill = createBackfill(deps, alarm)
  const isStopped = (): boolean => stopped.aborted
  let failures = 0
  try {
    while (!isStopped()) {
      try {
        await backfill.work()
        failures = 0
        await alarm.rest(backfill.idle * 1000)
      } catch (error) {
        if (isStopped()) break
        observe.failed(error)
        alarm.ring()
        failures++
        await deps.sleep(findPause(error, failures, deps.random), stopped).catch(() => undefined)
      }
    }
  } finally {
    alarm.end()
    observe.counted({ unlimited: 0, outOfBounds: 0 })
  }
}

interface Work {
  /** All that is due now. */
  work(): Promise<void>
  /** Seconds until something is due by time alone. */
  readonly idle: number
}

function createBackfill(deps: BackfillDeps, alarm: Alarm): Work {
  const agenda = createAgenda({ ...deps, interval: deps.settings.interval })
  const sweep = createSweepDeps(deps)
  const stale = new Set<string>()
  const attend = async (): Promise<void> => {
    while (alarm.isRung() || agenda.idle <= 0) {
      for (const name of await examine(agenda, deps, sweep)) stale.add(name)
    }
  }
  return {
    get idle() {
      return agenda.idle
    },
    async work() {
      await attend()
      for (const name of stale) {
        // Before its sweep: what becomes stale behind it comes back.
        stale.delete(name)
        await sweepRest(name, sweep, attend).catch((error: unknown) => {
          stale.add(name)
          throw error
        })
      }
    },
  }
}

/** Gives the namespaces in which there is more to do. */
async function examine(
  agenda: Agenda,
  { clock, observe }: BackfillDeps,
  sweep: SweepDeps,
): Promise<ReadonlySet<string>> {
  const began = clock()
  const assignment = agenda.findDue()
  const { due, isFull } = assignment
  const { pods, stale, failed } = await sweepUrgent(assignment, sweep)
  agenda.finish(assignment, failed)
  if (due.length > 0 || isFull)
    observe.passed({ namespaces: due.length, pods, seconds: clock() - began, isFull })
  return stale
}

function createSweepDeps(deps: BackfillDeps): SweepDeps {
  const { settings, stopped: signal, observe } = deps
  const pace = createPace({ ...deps, qps: settings.qps })
  const tally = createTally()
  return {
    ...deps,
    signal,
    pace,
    tally,
    pageSize: settings.pageSize,
    teller: createTeller({ ...deps, pace, signal }),
    plan: (pod) => {
      const namespace = deps.readNamespaces().get(pod.namespace)
      return namespace && planBackfill(pod, namespace, deps.readRulebook())
    },
    onCounted: () => observe.counted(tally.figures),
  }
}

interface Alarm {
  /** Whether anything has changed since this was last asked. */
  isRung(): boolean
  /** As if something had changed. */
  ring(): void
  /** Until something changes, so many milliseconds at most. */
  rest(milliseconds: number): Promise<void>
  end(): void
}

function createAlarm({ onChange, sleep, stopped }: BackfillDeps): Alarm {
  let isRung = true
  let nap = new AbortController()
  const ring = (): void => {
    isRung = true
    nap.abort()
  }
  return {
    ring,
    end: onChange(ring),
    isRung() {
      const was = isRung
      isRung = false
      return was
    },
    async rest(milliseconds) {
      nap = new AbortController()
      if (!isRung) await sleep(milliseconds, AbortSignal.any([stopped, nap.signal])).catch(() => undefined)
      // Changes come in swarms: a few lists for many of them.
      if (isRung) await sleep(SETTLING, stopped).catch(() => undefined)
    },
  }
}

const SETTLING = 200
const LONGEST_PAUSE = 30_000

/** Milliseconds: doubled with each failure in a row, the upper half of it by chance; never less than the server asks for. */
function findPause(error: unknown, failures: number, random: () => number): number {
  const whole = Math.min(500 * 2 ** failures, LONGEST_PAUSE)
  const asked = isKubeError(error) ? (error.retryAfter ?? 0) : 0
  return Math.max((whole * (1 + random())) / 2, Math.min(asked, 2 * LONGEST_PAUSE))
}
