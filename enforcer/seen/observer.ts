/** What happens, told to the log, to the metrics and to the pods' owners. */

import { formatProblem } from '../../contract/problem.ts'
import type { Call } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import type { NodePod } from '../core/pods.ts'
import type { Log } from '../log.ts'
import { createJournal } from '../loop/journal.ts'
import type { LoopObserver, Pass } from '../loop/loop.ts'
import type { PodObserver } from '../loop/podEnforcer.ts'
import type { Switch } from '../sources/feed.ts'
import type { SourceName } from '../sources/source.ts'
import type { UsageObserver } from '../usage/keeping.ts'
import type { Warner } from './events.ts'
import type { Metrics } from './metrics.ts'

export interface ObserverDeps {
  readonly log: Log
  readonly metrics: Metrics
  readonly warner: Warner | undefined
  readonly nodeName: string | undefined
  /** Milliseconds. */
  readonly clock: () => number
}

export interface Observer {
  readonly pods: PodObserver
  readonly loop: LoopObserver
  readonly switched: (change: Switch) => void
  readonly called: (target: SourceName, call: Call) => void
  readonly watchRefused: (folder: string, error: unknown) => void
  readonly usage: UsageObserver
}

export function createObserver(deps: ObserverDeps): Observer {
  const { log, metrics } = deps
  const notices = createJournal((sentence) => log.warn(sentence))
  const problems = createJournal((sentence) => log.error(sentence))
  const tally: Tally = { written: 0, failed: 0 }
  let refusals = 0
  return {
    pods: observePods(deps, problems, tally),
    usage: observeUsage(deps, notices),
    loop: observeLoop(deps, { notices, problems }, tally),
    switched: (change) => tellSwitch(deps, change),
    called: (target, { status, seconds }) => {
      metrics.calls.inc({ target, code: String(status) })
      metrics.callDuration.observe(seconds, { target })
    },
    watchRefused: (folder, error) => {
      metrics.refusedWatches.inc()
      if (refusals++ > 0) return
      log.warn(
        { err: error, folder },
        'directories cannot be watched, so new containers are limited at the next pass only: raise fs.inotify.max_user_instances and max_user_watches',
      )
    },
  }
}

/** Since the last pass over everything. */
interface Tally {
  written: number
  failed: number
}

type Journal = ReturnType<typeof createJournal>

function observePods(
  { log, metrics, warner, clock }: ObserverDeps,
  problems: Journal,
  tally: Tally,
): Observer['pods'] {
  return {
    written: (pod, { container, path, value }, { cause, since }) => {
      tally.written += 1
      metrics.writes.inc()
      metrics.applied.observe((clock() - since) / 1000, { cause })
      const { id, admitted, defaulted } = pod
      const { mark: policy, scope } = admitted
      log.info({ pod: id, container, path, value, cause, policy, scope, defaulted }, nameOrigin(pod, value))
    },
    drifted: ({ id }, { container, path, value }) => {
      metrics.drift.inc()
      log.warn({ pod: id, container, path, value }, 'somebody else changed the limit: it is written again')
    },
    failed: (_, code) => {
      tally.failed += 1
      metrics.errors.inc({ cause: code || 'unknown' })
    },
    looked: (pod, found) => {
      problems.say(pod.id, found.map(formatProblem))
      if (found.length > 0) warner?.warn(pod, found)
    },
    forgotten: (id) => problems.forget(id),
  }
}

/** What the kubelet does not tell is told by the cgroups' files: no error, and said once. */
function observeUsage({ log, metrics }: ObserverDeps, notices: Journal): UsageObserver {
  return {
    sampled: (milliseconds, failures) => {
      metrics.samples.observe(milliseconds / 1000)
      notices.say(
        'usage',
        failures.map(
          (failure) =>
            `usage is read from the cgroups' files, since the kubelet does not tell it: ${failure}`,
        ),
      )
    },
    broken: (error) => {
      metrics.errors.inc({ cause: 'usage' })
      log.error({ err: error }, 'a sample of usage failed')
    },
  }
}

/** Whose wish it is: admission notes which keys a policy filled in (iops-limit/defaulted). */
function nameOrigin({ defaulted, hasOwn }: NodePod, value: string): string {
  // Behind the device: a number, unless everything is `max` (v2) or 0 (v1).
  if (!/[= ][1-9]/.test(value.slice(value.indexOf(' ')))) return 'limit lifted'
  if (!hasOwn) return "written: a policy's default"
  return defaulted.length === 0
    ? "written: the pod's own limit"
    : "written: the pod's own limit, and a policy's default beside it"
}

function observeLoop(
  { log, metrics, nodeName }: ObserverDeps,
  { notices, problems }: { readonly notices: Journal; readonly problems: Journal },
  tally: Tally,
): LoopObserver {
  return {
    passed: ({ place, pods, limited, problems: found, notices: said, milliseconds }: Pass) => {
      metrics.passes.observe(milliseconds / 1000)
      const isV1 = place?.rules.version === 'v1'
      notices.say('node', [...said, ...(isV1 ? [V1_NOTICE] : [])])
      problems.say('node', found.map(formatProblem))
      if (place === undefined) return metrics.errors.inc({ cause: 'place' })
      // A loop that finds nothing to do has nothing to tell.
      const isNews = tally.written + tally.failed > 0
      const { tree, devices } = place
      const counts = { pods, limited, ...tally }
      log[isNews ? 'info' : 'debug']({ node: nodeName, cgroup: tree.version, devices, ...counts }, 'pass')
      Object.assign(tally, { written: 0, failed: 0 })
    },
    broken: (error) => {
      metrics.errors.inc({ cause: 'loop' })
      log.error({ err: error }, 'a pass failed')
    },
  }
}

const V1_NOTICE =
  'cgroup v1 limits direct and synchronous IO only: buffered writes reach the disk from kernel threads, which it cannot attribute to a container; use cgroup v2 for those'

const NAMES: Readonly<Record<SourceName, string>> = {
  file: 'the pods file',
  kubelet: 'the kubelet',
  apiserver: 'the API server',
}

function tellSwitch({ log, metrics }: ObserverDeps, { from, to, problems }: Switch): void {
  metrics.switches.inc({ to: to ?? 'none' })
  const because = problems.map(formatProblem)
  if (to === undefined) {
    metrics.errors.inc({ cause: 'pods' })
    return log.error(
      { because },
      from === undefined
        ? 'nobody tells of pods yet'
        : 'nobody tells of pods any more: limits stay as they are',
    )
  }
  const level = because.length > 0 ? 'warn' : 'info'
  log[level]({ because, from }, `pods come from ${NAMES[to]}`)
}

/** Events are a courtesy: their refusal is said once, and never stops anything. */
export function tellEvent(
  log: Log,
  metrics: Metrics,
): (result: 'sent' | 'refused' | 'dropped', error?: unknown) => void {
  let isSaid = false
  return (result, error) => {
    metrics.events.inc({ result })
    if (result !== 'refused' || isSaid) return
    isSaid = true
    const cure = isKubeError(error, 'Forbidden') ? ': grant "create" on events' : ''
    log.warn({ err: error }, `events about pods cannot be sent${cure}`)
  }
}
