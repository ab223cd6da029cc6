/** The loop that lets the running webhook follow its files. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Configuration } from './configuration.ts'
import type { Notice } from './follow.ts'
import type { FileKind, Observer } from './observer.ts'
import type { TlsPair } from './tls.ts'

export interface ReloadDeps {
  readonly observer: Observer
  /** Connections that stand keep what they have. */
  readonly servePair: (pair: TlsPair) => void
  /** Other policies or namespaces are in force. */
  readonly tellChanged: () => void
  readonly stopped: AbortSignal
}

/** Until stopped. Whatever befalls a check, what is in force stays and the next check comes. */
export async function followFiles(
  { tls, policies, namespaces, settings }: Configuration,
  { observer, servePair, tellChanged, stopped }: ReloadDeps,
): Promise<void> {
  const notice = (what: FileKind): Notice<unknown> => ({
    loaded: () => {
      observer.reloaded(what)
      tellChanged()
    },
    refused: (problems) => observer.refused(what, problems),
  })
  const serveNew = (pair: TlsPair): void => {
    servePair(pair)
    observer.reloaded('tls')
  }
  const checks = [
    () => tls?.check({ ...notice('tls'), loaded: serveNew }),
    () => policies?.check(notice('policies')),
    () => namespaces?.check(notice('namespaces')),
  ]
  while (await pause(settings.reloadInterval, stopped)) {
    for (const check of checks) await check()?.catch((error: unknown) => observer.broken(error))
  }
}

/** False once stopped. */
const pause = (milliseconds: number, signal: AbortSignal): Promise<boolean> =>
  sleep(milliseconds, true, { signal }).catch(() => false)
