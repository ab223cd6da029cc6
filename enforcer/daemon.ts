/** The program that stays: its parts put together. */
import type { Problem } from '../contract/problem.ts'
import type { DaemonEffects, DaemonGiven } from './effects.ts'
import { createAgenda } from './loop/agenda.ts'
import { runLoop } from './loop/loop.ts'
import { keepTime } from './loop/time.ts'
import { createPages, createParts } from './parts.ts'
import { serveUntilStopped } from './seen/serve.ts'
import { createStatus } from './seen/status.ts'
import { createFeed } from './sources/feed.ts'
import { createSources } from './sources/sources.ts'

/** Enforces until it is stopped; problems are of the settings, and keep it from beginning. */
export async function runDaemon(given: DaemonGiven, effects: DaemonEffects): Promise<readonly Problem[]> {
  const { settings } = given
  const { clock, stopped, sleep, random } = effects
  const agenda = createAgenda(clock)
  const sources = createSources(settings, given.env, {
    clock,
    random,
    sleep,
    stopped,
    onChanged: (uids) => void feed.hear('apiserver').then(() => agenda.add(uids, 'pod')),
    onCall: (target, call) => observer.called(target, call),
  })
  if (!sources.ok) return sources.problems
  const feed = createFeed({ sources: sources.value, clock, switched: (change) => observer.switched(change) })
  const status = createStatus({ interval: settings.interval, feed, clock })
  const parts = createParts(given, effects, { agenda, feed, status })
  // The sources call it, and none of them is asked before this line.
  const { observer } = parts
  stopped.addEventListener('abort', agenda.end)
  if (stopped.aborted) agenda.end()
  const { host, metricsPort: port, interval } = settings
  await Promise.all([
    runLoop({ ...parts, settings, feed, agenda, clock }),
    keepTime({ interval, refresh: feed.refresh, agenda, sleep, stopped }),
    parts.usage.keeping.run(),
    serveUntilStopped(createPages(parts, status, clock), { host, port, log: effects.log, sleep, stopped }),
  ])
  return []
}
